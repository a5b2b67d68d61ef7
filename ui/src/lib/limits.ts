import { bytes, number } from "@/lib/count.ts";

export interface Limit {
  name: string;
  limit: number | null;
  used: number | null;
}

export interface Pool {
  replicas: number;
  agents: readonly { is_ready: boolean }[];
  reason: string | null;
}

/** What each limit bounds; one that is not known here is shown by its name. */
const LABELS: Record<string, string> = {
  requests_per_s: "API requests a second",
  runs_per_minute: "Runs created in a minute",
  open_runs: "Runs that have not ended",
  running_tasks: "Tasks running at the same time",
  kept_slots: "Slots of the team that are never lent",
  run_tasks: "Task instances of one run",
  dag_file_bytes: "Bytes of one file in the DAG folder",
  log_bytes_per_minute: "Bytes of task logs in a minute",
};

export function labelOf(name: string): string {
  return LABELS[name] ?? name;
}

/** `12 of 100`, `12 now, no limit`, `at most 100`. */
export function standingOf({ name, limit, used }: Limit): string {
  const said = name.includes("bytes") ? bytes : number;
  if (limit === null) return used === null ? "no limit" : `${said(used)} now, no limit`;
  return used === null ? `at most ${said(limit)}` : `${said(used)} of ${said(limit)}`;
}

/** `1 of 2 ready, at most 5: its reason`. */
export function standingOfPool(pool: Pool, most: number): string {
  const ready = pool.agents.filter((agent) => agent.is_ready).length;
  const why = pool.reason ? `: ${pool.reason}` : "";
  return `${number(ready)} of ${number(pool.replicas)} ready, at most ${number(most)}${why}`;
}

export function textsOf(limits: readonly Limit[]): Record<string, string> {
  return Object.fromEntries(limits.map(({ name, limit }) => [name, String(limit ?? "")]));
}

/** The limits that differ from the stored ones; an empty text removes a limit. */
export function changedLimits(
  texts: Record<string, string>,
  stored: readonly Limit[],
): Record<string, number | null> {
  const wanted = (name: string) => (texts[name]?.trim() ? Number(texts[name]) : null);
  const changed = stored.filter(({ name, limit }) => wanted(name) !== limit);
  return Object.fromEntries(changed.map(({ name }) => [name, wanted(name)]));
}
