import type { GridRun } from "@/api/types.ts";
import type { Place } from "@/lib/grid/keys.ts";
import type { Row } from "@/lib/grid/tree.ts";
import type { Selection } from "@/lib/selection.ts";
import styles from "./Grid.module.css";
import { HEAD } from "./geometry.ts";

interface Props {
  left: number;
  pitch: number;
  rowPitch: number;
  rows: readonly Row[];
  runs: readonly GridRun[];
  cell: number;
  place: Place | null;
  hover: Place | null;
  selection: Selection;
}

/** Over the cells: the lines under the pointer, what is selected, and where the keys are. */
export function Cursor(props: Props) {
  const { left, pitch, rowPitch, rows, runs, cell, hover, selection } = props;
  const column = runs.findIndex((run) => run.run_id === selection.run);
  const row = rows.findIndex(
    (one) => one.id === (one.kind === "task" ? selection.task : selection.group),
  );
  const box = (place: Place) => ({
    left: left + place.column * pitch - 2,
    top: HEAD + place.row * rowPitch + (rowPitch - cell) / 2 - 2,
    width: cell + 4,
    height: cell + 4,
  });
  const down = (at: number) => ({
    left: left + at * pitch - 1,
    top: HEAD,
    width: pitch,
    height: rows.length * rowPitch,
  });
  const along = (at: number) => ({ top: HEAD + at * rowPitch, height: rowPitch });
  return (
    <div aria-hidden>
      {column >= 0 && <div className={styles.lane} data-selected style={down(column)} />}
      {row >= 0 && <div className={styles.lane} data-selected data-row style={along(row)} />}
      {hover && hover.column >= 0 && <div className={styles.lane} style={down(hover.column)} />}
      {hover && hover.row >= 0 && <div className={styles.lane} data-row style={along(hover.row)} />}
      {column >= 0 && row >= 0 && <div className={styles.selected} style={box({ row, column })} />}
      {props.place && props.place.row >= 0 && (
        <div className={styles.cursor} style={box(props.place)} />
      )}
    </div>
  );
}
