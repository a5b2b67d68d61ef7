import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";
import type { TaskInstanceDetail } from "@/api/instances.ts";
import type { RunTask } from "@/api/runTasks.ts";
import { applied } from "@/lib/graph/delta.ts";
import { isFinal } from "@/lib/states.ts";
import type { RunDelta } from "@/state/deltas.ts";
import { useChanges, useScope } from "@/state/live.ts";

const REREAD_MS = 1_000;

interface Change
  extends Pick<
    TaskInstanceDetail,
    "task_id" | "map_index" | "started_at" | "ended_at" | "blocked_reason"
  > {
  state: string | null; // null: there is no such instance any more
  number: number | null;
}

interface InstancesDelta {
  run_id: string;
  changes: Change[];
}

/** Follow a run while its page is shown. */
export function useRunLive(runId: string): void {
  useScope({ run_id: runId, topics: ["run", "task_instance"] });
  useRunChanges(runId);
}

/** What is worked out of the run is read again when it changes, at most once a second. */
export function useRunChanges(runId: string): void {
  const queries = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const changed = useRef(new Map<string, Change>());
  const tasksAreStale = useRef(false);
  useEffect(() => () => clearTimeout(timer.current), []);
  const reread = useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      // The run too: an answer that was on its way when the change came may be older than it.
      for (const what of ["run", "diagnosis", "instances", "xcoms"]) {
        queries.invalidateQueries({ queryKey: [what, runId] });
      }
      if (tasksAreStale.current) queries.invalidateQueries({ queryKey: ["run-tasks", runId] });
      tasksAreStale.current = false;
      for (const { task_id, map_index } of changed.current.values()) {
        queries.invalidateQueries({ queryKey: ["instance", runId, task_id, map_index] });
      }
      changed.current.clear();
    }, REREAD_MS);
  }, [queries, runId]);
  const onInstances = useCallback(
    (delta: InstancesDelta) => {
      if (delta.run_id !== runId) return;
      for (const change of delta.changes) {
        changed.current.set(`${change.task_id}[${change.map_index}`, change);
        const { state, number, ...times } = change;
        if (state === null) continue;
        queries.setQueryData<TaskInstanceDetail>(
          ["instance", runId, change.task_id, change.map_index],
          (known) => known && { ...known, ...times, state, attempts: number ?? known.attempts },
        );
      }
      tasksAreStale.current = !putInto(queries, runId, delta.changes) || tasksAreStale.current;
      reread();
    },
    [queries, runId, reread],
  );
  const onRun = useCallback(
    (delta: RunDelta) => {
      if (delta.run_id !== runId) return;
      // Which path was critical is known at the end; a run that is opened again has none.
      tasksAreStale.current ||= delta.state !== undefined && delta.state !== "running";
      reread();
    },
    [runId, reread],
  );
  useChanges("task_instance", onInstances);
  useChanges("run", onRun);
}

/** Put changes into the list of the run's tasks; false when it must be read again to be right. */
function putInto(queries: QueryClient, runId: string, changes: readonly Change[]): boolean {
  const key = ["run-tasks", runId];
  const known = queries.getQueryData<RunTask[]>(key);
  if (!known) return false;
  const after = applied(known, changes);
  // Why something is in its state is in no delta: what was the reason before is none any more.
  const tasks = after.tasks.map((task, row) =>
    task === known[row] ? task : { ...task, reason: null },
  );
  queries.setQueryData(key, tasks);
  // An answer that is on its way may be older than the change.
  const told = changes.every(({ state }) => state !== null && !isReasoned(state));
  return !after.stale && told && queries.isFetching({ queryKey: key }) === 0;
}

function isReasoned(state: string): boolean {
  return isFinal(state) && state !== "success";
}
