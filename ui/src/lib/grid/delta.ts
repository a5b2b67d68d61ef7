import type { StreamEvents } from "@/api/types.ts";
import { letterOf } from "../states.ts";
import type { Column } from "./cells.ts";

type Change = Pick<
  StreamEvents["task_instance"]["changes"][number],
  "task_id" | "map_index" | "state"
>;

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
    const letter = change.state && letterOf(change.state);
    if (row === undefined || !letter) stale = true;
    else if (change.map_index >= 0 || column.mapped[String(row)]) stale = true;
    else letters[row] = letter;
  }
  const cells = letters.join("");
  return { column: cells === column.cells ? column : { ...column, cells }, stale };
}
