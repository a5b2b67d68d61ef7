import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import type { RunTask } from "@/api/runTasks.ts";
import { applied, type Change } from "@/lib/graph/delta.ts";
import { isFinal } from "@/lib/states.ts";
import type { RunDelta } from "@/state/deltas.ts";
import { useChanges } from "@/state/live.ts";
import { useReread, useRunScope } from "../useReread.ts";

interface Changes {
  run_id: string;
  changes: Change[];
}

/**
 * Put what the stream says of the run's tasks into the graph. Its tasks are read again only for
 * what a delta cannot say: the counts of mapped tasks, and the critical path once it has ended.
 */
export function useLiveTasks(dag: string, run: string | undefined, chosen: boolean): void {
  const queries = useQueryClient();
  const reread = useReread(run, "run-tasks");
  useRunScope(dag, run, chosen);
  const onTasks = useCallback(
    (delta: Changes) => {
      if (delta.run_id !== run) return;
      const before = queries.getQueryData<RunTask[]>(["run-tasks", run]);
      const after = applied(before ?? [], delta.changes);
      if (before) queries.setQueryData(["run-tasks", run], after.tasks);
      if (after.stale) reread();
    },
    [queries, run, reread],
  );
  const onRun = useCallback(
    (delta: RunDelta) => {
      if (delta.run_id === run && delta.state && isFinal(delta.state)) reread();
    },
    [run, reread],
  );
  useChanges("task_instance", onTasks);
  useChanges("run", onRun);
}
