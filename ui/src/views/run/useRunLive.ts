import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";
import type { TaskInstanceDetail } from "@/api/instances.ts";
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
  useEffect(() => () => clearTimeout(timer.current), []);
  const reread = useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      // The run too: an answer that was on its way when the change came may be older than it.
      for (const what of ["run", "run-tasks", "diagnosis", "instances", "xcoms"]) {
        queries.invalidateQueries({ queryKey: [what, runId] });
      }
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
      reread();
    },
    [queries, runId, reread],
  );
  const onRun = useCallback(
    (delta: { run_id: string }) => delta.run_id === runId && reread(),
    [runId, reread],
  );
  useChanges("task_instance", onInstances);
  useChanges("run", onRun);
}
