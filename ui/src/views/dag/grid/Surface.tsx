import { useMemo, useRef } from "react";
import type { GridRun, GridTask } from "@/api/types.ts";
import { versionChanges } from "@/lib/grid/bars.ts";
import type { Row } from "@/lib/grid/tree.ts";
import type { Selection } from "@/lib/selection.ts";
import { Cells } from "./Cells.tsx";
import { Cursor } from "./Cursor.tsx";
import styles from "./Grid.module.css";
import { HEAD, labelWidth, pitchOf, rowPitchOf } from "./geometry.ts";
import { RowNames } from "./RowNames.tsx";
import { RunBars } from "./RunBars.tsx";
import { Tip } from "./Tip.tsx";
import { useCursor } from "./useCursor.ts";
import { useHover } from "./useHover.ts";
import { useSeen } from "./useScroll.ts";
import { useSelectedInSight } from "./useSelectedInSight.ts";
import { useStartAtNewest } from "./useStartAtNewest.ts";

export interface SurfaceProps {
  rows: readonly Row[];
  tasks: readonly GridTask[];
  runs: readonly GridRun[];
  cell: number;
  selection: Selection;
  select: (selection: Selection) => void;
  toggle: (group: string) => void;
}

/**
 * The grid: the browser scrolls it, heads stay by themselves, and of its cells only those around
 * the view are painted. One element takes all keys and clicks and finds the place by counting.
 */
export function Surface(props: SurfaceProps) {
  const { rows, runs, cell, selection } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [pitch, rowPitch] = [pitchOf(cell), rowPitchOf(cell)];
  const left = labelWidth(window.innerWidth);
  const size = { rows: rows.length, columns: runs.length, pitch, rowPitch };
  const seen = useSeen(scroller, { ...size, labels: left, head: HEAD });
  const changes = useMemo(() => versionChanges(runs.map(versionOf)), [runs]);
  const frame = useMemo(() => ({ left, pitch, rowPitch }), [left, pitch, rowPitch]);
  const cursor = useCursor(scroller, props, frame);
  const hover = useHover(scroller, frame, size, props);
  useStartAtNewest(scroller, runs, pitch);
  useSelectedInSight(scroller, props, frame);
  const { first, last } = seen.across;
  const across = useMemo(() => ({ first, last }), [first, last]);
  const scene = useMemo(
    () => ({ rows, columns: runs, across, cell, pitch, rowPitch, changes }),
    [rows, runs, across, cell, pitch, rowPitch, changes],
  );
  const at = cursor.place;
  return (
    <div className={styles.frame}>
      <div
        ref={scroller}
        className={styles.scroller}
        role="treegrid"
        aria-label="Tasks by runs"
        aria-rowcount={rows.length + 1}
        aria-colcount={runs.length + 1}
        aria-activedescendant={at ? (at.row < 0 ? `run-${at.column}` : "cell") : undefined}
        tabIndex={0}
        onKeyDown={cursor.onKeyDown}
        onFocus={cursor.onFocus}
        onClick={hover.onClick}
        onPointerMove={hover.onPointerMove}
        onPointerLeave={hover.clear}
      >
        <div
          className={styles.plane}
          style={{
            width: left + runs.length * pitch + 16,
            height: HEAD + rows.length * rowPitch + 8,
          }}
        >
          <div
            className={styles.head}
            style={{ height: HEAD }}
            role="row"
            tabIndex={-1}
            aria-rowindex={1}
          >
            <span
              role="columnheader"
              tabIndex={-1}
              className={styles.corner}
              style={{ width: left }}
            >
              Tasks
            </span>
            <RunBars
              runs={runs}
              across={across}
              pitch={pitch}
              changes={changes}
              selected={selection.run}
              cursor={at?.row === -1 ? at.column : null}
              left={left}
            />
          </div>
          <div
            className={styles.names}
            role="rowgroup"
            style={{ width: left, height: rows.length * rowPitch }}
          >
            <RowNames
              rows={rows}
              tasks={props.tasks}
              runs={runs}
              down={seen.down}
              slots={seen.slots}
              width={left}
              rowPitch={rowPitch}
              selected={selection.task}
              cursor={at}
            />
          </div>
          <Cells scene={scene} down={seen.down} slots={seen.slots} left={left} />
          <Cursor
            {...frame}
            rows={rows}
            runs={runs}
            cell={cell}
            place={at}
            hover={hover.place}
            selection={selection}
          />
        </div>
      </div>
      {hover.tip && <Tip {...hover.tip} rows={rows} runs={runs} />}
    </div>
  );
}

function versionOf(run: GridRun) {
  return { version: run.version, duration_s: null };
}
