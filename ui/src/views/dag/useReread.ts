import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";
import { useChanges, useScope } from "@/state/live.ts";

const REREAD_MS = 1_000;

/** What the server works out of one run, asked anew: at most once a second, however often called. */
export function useReread(run: string | undefined, what: string): () => void {
  const queries = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      queries.invalidateQueries({ queryKey: [what, run] });
    }, REREAD_MS);
  }, [queries, run, what]);
}

/** Follow the run that was chosen; else the DAG, so that a newer run is heard of. */
export function useRunScope(dag: string, run: string | undefined, chosen: boolean): void {
  useScope({
    dag_id: dag,
    run_id: chosen ? run : undefined,
    topics: ["run", "task_instance"],
  });
}

/** Read what is shown of the run anew whenever the run changes. */
export function useFollowedRun(
  dag: string,
  run: string | undefined,
  chosen: boolean,
  what: string,
): void {
  const reread = useReread(run, what);
  useRunScope(dag, run, chosen);
  const onChange = useCallback(
    (delta: { run_id: string }) => {
      if (delta.run_id === run) reread();
    },
    [run, reread],
  );
  useChanges("task_instance", onChange);
  useChanges("run", onChange);
}
