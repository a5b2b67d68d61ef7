import { STATES, type State } from "../states.ts";
import type { Column } from "./cells.ts";

export interface Change {
  task_id: string;
  map_index: number;
  state: string;
}

const LETTERS: Record<State, string | null> = {
  waiting: "w",
  ready: "r",
  queued: "q",
  running: "R",
  up_for_retry: "y",
  success: "s",
  failed: "f",
  skipped: "k",
  upstream_failed: "u",
  cancelled: "c",
  lost: null,
};

export function letterOf(state: string): string | null {
  return STATES.includes(state as State) ? LETTERS[state as State] : null;
}

/**
 * The column after the changes, and whether it must be read anew: a change of one of many mapped
 * instances does not say what that instance was before, so the counts cannot follow it.
 */
export function changed<T extends Column>(
  column: T,
  rowOf: ReadonlyMap<string, number>,
  changes: readonly Change[],
): { column: T; stale: boolean } {
  let stale = false;
  const letters = [...column.cells];
  for (const change of changes) {
    const row = rowOf.get(change.task_id);
    const letter = letterOf(change.state);
    if (row === undefined || letter === null) stale = true;
    else if (change.map_index >= 0 || column.mapped[String(row)]) stale = true;
    else letters[row] = letter;
  }
  const cells = letters.join("");
  return { column: cells === column.cells ? column : { ...column, cells }, stale };
}
