import type { InfiniteData, QueryClient, QueryKey } from "@tanstack/react-query";
import type { Page, Run, RunTask, StreamEvents, TaskInstanceDetail } from "@/api/types.ts";
import { applied } from "@/lib/graph/delta.ts";
import { isFinal } from "@/lib/states.ts";

export type RunDelta = StreamEvents["run"];
export type InstancesDelta = StreamEvents["task_instance"];
type InstanceChange = InstancesDelta["changes"][number];

/** An answer that shows what has changed; `whole`: the change says all of it. */
export interface Told {
  key: QueryKey;
  whole: boolean;
}

const LISTS = [
  "overview",
  "dags",
  "runs",
  "newest-run",
  "adjacent-runs",
  "slots",
  "backfills",
  "events",
  "questions",
];

/** Where every change goes, whichever page is shown; what nobody shows is read when it next is. */
export const toEverything = {
  run: applyRun,
  task_instance: applyInstances,
  dag: () => again(["overview"], ["dags"], ["dag"], ["import-errors"]),
  pool: () => again(["slots"], ["overview"]),
};

function again(...keys: QueryKey[]): Told[] {
  return keys.map((key) => ({ key, whole: false }));
}

export function applyRun(queries: QueryClient, delta: RunDelta): readonly Told[] {
  const { run_id } = delta;
  queries.setQueryData<Run>(["run", run_id], (run) => run && { ...run, ...delta });
  queries.setQueriesData<InfiniteData<Page<Run>>>(
    { queryKey: ["runs"], predicate: ({ queryKey }) => queryKey[2] === undefined },
    (data) => data && patched(data, delta),
  );
  forget(queries, ["grid", delta.dag_id]);
  return [
    ...again(...LISTS.map((noun) => [noun]), ["dag", delta.dag_id]),
    ...ofRun(run_id),
    // Which path was critical is known at the end; a run that is opened again has none.
    { key: ["run-tasks", run_id], whole: delta.state === "running" },
  ];
}

/** Why an instance is in its state is in no delta: it is read again. */
export function applyInstances(queries: QueryClient, delta: InstancesDelta): readonly Told[] {
  const { run_id, changes } = delta;
  const shown = changes.flatMap((change) => {
    const key = ["instance", run_id, change.task_id, change.map_index];
    if (!queries.getQueryState(key)) return [];
    queries.setQueryData<TaskInstanceDetail>(key, (known) => known && changed(known, change));
    return [key];
  });
  forget(queries, ["grid", delta.dag_id]);
  return [
    ...again(["questions"], ...shown),
    ...ofRun(run_id),
    { key: ["run-tasks", run_id], whole: putInto(queries, ["run-tasks", run_id], changes) },
  ];
}

function changed(known: TaskInstanceDetail, change: InstanceChange): TaskInstanceDetail {
  const { state, started_at, ended_at, blocked_reason, why } = change;
  if (state === null) return known;
  const attempts = change.attempts ?? known.attempts;
  return { ...known, state, attempts, started_at, ended_at, blocked_reason, why };
}

/** What is worked out of the whole run. */
function ofRun(run_id: string): Told[] {
  const nouns = ["run", "diagnosis", "gantt", "instances", "xcoms"];
  return again(...nouns.map((noun) => [noun, run_id]));
}

/** The list of the run's tasks; false when it must be read again to be right. */
function putInto(queries: QueryClient, key: QueryKey, changes: readonly InstanceChange[]): boolean {
  const known = queries.getQueryData<readonly RunTask[]>(key);
  if (!known) return queries.getQueryState(key) === undefined;
  const after = applied(known, changes);
  queries.setQueryData(key, after.tasks);
  return !after.stale && changes.every(({ state }) => state !== null && !isReasoned(state));
}

function isReasoned(state: string): boolean {
  return isFinal(state) && state !== "success";
}

/** A grid that is shown follows by itself; one that is not must be read before it is shown again. */
function forget(queries: QueryClient, queryKey: QueryKey): void {
  queries.invalidateQueries({ queryKey, type: "inactive", refetchType: "none" });
}

/** The same object when the run is in none of the pages: nothing is rendered for nothing. */
export function patched(data: InfiniteData<Page<Run>>, delta: RunDelta): InfiniteData<Page<Run>> {
  const holds = (page: Page<Run>) => page.items.some((run) => run.run_id === delta.run_id);
  if (!data.pages.some(holds)) return data;
  const pages = data.pages.map((page) =>
    holds(page)
      ? {
          ...page,
          items: page.items.map((run) =>
            run.run_id === delta.run_id ? { ...run, ...delta } : run,
          ),
        }
      : page,
  );
  return { ...data, pages };
}
