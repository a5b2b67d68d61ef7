import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";
import { useChanges, useScope } from "@/state/live.ts";

const REREAD_MS = 1_000;

/** What the server works out of a run is asked anew when the run changes, at most once a second. */
export function useReread(dag: string, run: string | undefined, what: string): void {
  const queries = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useScope({ dag_id: dag, run_id: run, topics: ["run", "task_instance"] });
  useEffect(() => () => clearTimeout(timer.current), []);
  const onChange = useCallback(
    (delta: { run_id: string }) => {
      if (delta.run_id !== run) return;
      timer.current ??= setTimeout(() => {
        timer.current = undefined;
        queries.invalidateQueries({ queryKey: [what, run] });
      }, REREAD_MS);
    },
    [queries, run, what],
  );
  useChanges("task_instance", onChange);
  useChanges("run", onChange);
}
