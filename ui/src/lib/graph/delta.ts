import type { RunTask, StreamEvents } from "@/api/types.ts";
import { between } from "../duration.ts";

type Living = Pick<
  RunTask,
  "task_id" | "mapped" | "counts" | "started_at" | "ended_at" | "blocked_reason" | "reason" | "why"
> &
  Partial<Pick<RunTask, "duration_s">>;
type Change = Omit<StreamEvents["task_instance"]["changes"][number], "attempts">;

/**
 * The tasks after the changes, the very same ones where nothing changed; `stale` when a change does
 * not say how things stand: one of many mapped instances, one that is gone, a task nobody knows.
 */
export function applied<T extends Living>(
  tasks: readonly T[],
  changes: readonly Change[],
): { tasks: readonly T[]; stale: boolean } {
  const rows = new Map(tasks.map((task, row) => [task.task_id, row]));
  const after = [...tasks];
  let stale = false;
  for (const change of changes) {
    const row = rows.get(change.task_id);
    const task = row === undefined ? undefined : after[row];
    if (row === undefined || !task || task.mapped || change.map_index >= 0 || !change.state)
      stale = true;
    else after[row] = { ...task, ...standing(change, change.state) };
  }
  return { tasks: after, stale };
}

/** Why it is so is in no delta: what was the reason before is none any more. */
function standing(change: Change, state: string): Omit<Living, "task_id" | "mapped"> {
  const { started_at, ended_at, blocked_reason, why } = change;
  const duration_s = ended_at ? between(started_at, ended_at, 0) : null;
  const held = { blocked_reason, why, reason: null };
  return { counts: { [state]: 1 }, started_at, ended_at, ...held, duration_s };
}
