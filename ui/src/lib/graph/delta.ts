/** What a task of a run says of itself in the graph. */
export interface Living {
  task_id: string;
  mapped: boolean;
  counts: Readonly<Record<string, number>>;
  started_at: string | null;
  ended_at: string | null;
  blocked_reason: string | null;
  duration_s?: number | null;
}

export interface Change {
  task_id: string;
  map_index: number;
  state: string | null;
  started_at?: string | null;
  ended_at?: string | null;
  blocked_reason?: string | null;
}

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

function standing(change: Change, state: string): Omit<Living, "task_id" | "mapped"> {
  const { started_at = null, ended_at = null, blocked_reason = null } = change;
  const duration_s =
    started_at && ended_at ? (Date.parse(ended_at) - Date.parse(started_at)) / 1000 : null;
  return { counts: { [state]: 1 }, started_at, ended_at, blocked_reason, duration_s };
}
