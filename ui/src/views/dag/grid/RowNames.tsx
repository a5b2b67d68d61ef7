import { ChevronRight } from "lucide-react";
import { memo } from "react";
import type { GridRun, GridTask } from "@/api/types.ts";
import { number } from "@/lib/count.ts";
import { countsAt, itemsIn, stateAt, total } from "@/lib/grid/cells.ts";
import type { Place } from "@/lib/grid/keys.ts";
import type { Row } from "@/lib/grid/tree.ts";
import { blocksOf, type Span } from "@/lib/grid/window.ts";
import { stateWord, tally } from "@/lib/states.ts";
import { compact } from "@/lib/time.ts";
import styles from "./Grid.module.css";
import { STEP } from "./geometry.ts";

interface Props {
  rows: readonly Row[];
  tasks: readonly GridTask[];
  runs: readonly GridRun[];
  down: Span;
  slots: number;
  width: number;
  rowPitch: number;
  selected: string | undefined;
  cursor: Place | null;
}

/** The names of the rows in sight; the row of the cursor also says its cell in words. */
export function RowNames({ down, slots, cursor, ...rest }: Props) {
  return blocksOf(down, STEP, rest.rows.length, slots).map(({ first, last, slot }) => {
    const here = cursor && cursor.row >= first && cursor.row < last ? cursor : null;
    return <Names key={slot} first={first} last={last} cursor={here} {...rest} />;
  });
}

type BlockProps = Omit<Props, "down" | "slots"> & Span;

const Names = memo(function Names(props: BlockProps) {
  const { rows, first, last, rowPitch, runs, cursor } = props;
  return rows.slice(first, last).map((row, nth) => {
    const at = first + nth;
    const task = row.kind === "task" ? props.tasks[row.index] : undefined;
    const run = cursor?.row === at ? runs[cursor.column] : undefined;
    return (
      <div
        // biome-ignore lint/suspicious/noArrayIndexKey: a row that is scrolled away becomes another
        key={nth}
        role="row"
        tabIndex={-1}
        aria-rowindex={at + 2}
        aria-level={row.depth + 1}
        aria-expanded={row.kind === "group" ? row.open : undefined}
        className={styles.row}
        data-kind={row.kind}
        data-selected={row.kind === "task" && row.id === props.selected}
        style={{
          top: at * rowPitch,
          height: rowPitch,
          paddingLeft: (row.kind === "task" ? 24 : 20) + row.depth * 12,
        }}
      >
        <span role="rowheader" tabIndex={-1} className={styles.name} title={titleOf(row)}>
          {row.kind === "group" && <ChevronRight size={12} aria-hidden data-open={row.open} />}
          <span
            className={styles.label}
            data-removed={task?.removed}
            data-long={isLong(row, props.width)}
          >
            {row.label}
          </span>
          {row.kind === "group" && <span className={styles.times}>{number(row.tasks.length)}</span>}
          {(task?.mapped || (row.kind === "group" && row.mapped)) && (
            <Times row={row} runs={runs} />
          )}
        </span>
        {run && (
          <span
            id="cell"
            role="gridcell"
            tabIndex={-1}
            className="sr-only"
            aria-colindex={(cursor?.column ?? 0) + 2}
          >
            {cellWords(row, run)}
          </span>
        )}
      </div>
    );
  });
});

function titleOf(row: Row): string {
  return row.kind === "group" && row.tooltip ? `${row.id}: ${row.tooltip}` : row.id;
}

const [LETTER, COUNT] = [9, 56];

/** Only what may not fit is cut off: each place that cuts costs the browser in every frame. */
function isLong(row: Row, width: number): boolean {
  return 24 + row.depth * 12 + row.label.length * LETTER + COUNT > width;
}

/** `×1,500`, as many as the newest run has of it: instances of a mapped task, items of a mapped group. */
function Times({ row, runs }: { row: Row; runs: readonly GridRun[] }) {
  for (let at = runs.length - 1; at >= 0; at -= 1) {
    const found = timesIn(row, runs[at] as GridRun);
    if (found !== null)
      return (
        <span className={styles.times} title={row.kind === "group" ? MAPPED : undefined}>
          ×{number(found)}
        </span>
      );
  }
  return null;
}

const MAPPED = "Mapped group or loop: click a cell to list its items or iterations";

function timesIn(row: Row, run: GridRun): number | null {
  if (row.kind === "group") return itemsIn(row, run);
  const counts = countsAt(row, run);
  return counts && total(counts);
}

export function cellWords(row: Row, run: GridRun): string {
  const state = stateAt(row, run);
  const counts = countsAt(row, run);
  const words = counts
    ? tally(counts)
        .map(([each, count]) => `${number(count)} ${stateWord(each)}`)
        .join(", ")
    : state && stateWord(state);
  return `${row.id}, run of ${compact(run.logical_date, Date.now())}: ${words || "not in this version"}`;
}
