/** Runs as Airflow did them, for a DAG of a server. */
import { ask } from "./api.ts";
import type { Server } from "./server.ts";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const STATES = ["success", "success", "failed"] as const;

const at = (ms: number) => new Date(ms).toISOString();

/** Daily runs up to two days ago; the third of them failed in one of two mapped task instances. */
export async function imported(server: Server, dag: string, count: number): Promise<void> {
  const last = Math.floor(Date.now() / DAY_MS) * DAY_MS - 2 * DAY_MS;
  const runs = Array.from({ length: count }, (_, number) => {
    const due = last - (count - 1 - number) * DAY_MS;
    const state = STATES[number % 3];
    const task = (task_id: string, map_index: number, state: string | null, operator: string) => ({
      task_id,
      map_index,
      state,
      tries: state ? 1 : 0,
      started_at: state && at(due + MINUTE_MS),
      ended_at: state && at(due + 2 * MINUTE_MS),
      operator,
    });
    const instances = [
      task("extract", -1, "success", "SQLExecuteQueryOperator"),
      task("load", 0, "success", "@task"),
      task("load", 1, state ?? null, "@task"),
      task("publish", -1, state === "success" ? "success" : null, "S3CreateObjectOperator"),
    ];
    return {
      run_id: `scheduled__${at(due - DAY_MS).slice(0, 10)}T00:00:00+00:00`,
      run_type: "scheduled",
      state,
      logical_date: at(due - DAY_MS),
      interval_start: at(due - DAY_MS),
      interval_end: at(due),
      due_at: at(due),
      started_at: at(due + MINUTE_MS),
      ended_at: at(due + 4 * MINUTE_MS),
      tasks: instances.length,
      instances,
    };
  });
  await ask(server, `/dags/${dag}/airflow-runs`, { runs });
}
