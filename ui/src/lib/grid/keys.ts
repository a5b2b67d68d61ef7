import { type Column, stateAt } from "./cells.ts";
import type { Row } from "./tree.ts";

/** The cell under the cursor; row -1 is the bar of the run. */
export interface Place {
  row: number;
  column: number;
}

/** Where a key leads from here; null for a key that moves nothing. */
export function moved(
  from: Place,
  key: string,
  rows: number,
  columns: number,
  page: number,
): Place | null {
  const step: Record<string, [row: number, column: number]> = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
    PageUp: [-page, 0],
    PageDown: [page, 0],
    Home: [0, -columns],
    End: [0, columns],
  };
  const by = step[key];
  if (!by || columns === 0) return null;
  return {
    row: Math.min(rows - 1, Math.max(-1, from.row + by[0])),
    column: Math.min(columns - 1, Math.max(0, from.column + by[1])),
  };
}

/** The first failure of the newest run that has one: from the top, upstream before downstream. */
export function firstFailure(rows: readonly Row[], columns: readonly Column[]): Place | null {
  for (let column = columns.length - 1; column >= 0; column -= 1) {
    const run = columns[column] as Column;
    const row = rows.findIndex((one) => one.kind === "task" && stateAt(one, run) === "failed");
    if (row >= 0) return { row, column };
  }
  return null;
}
