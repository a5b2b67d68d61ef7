import { queryOptions } from "@tanstack/react-query";
import { path, request } from "./request.ts";
import type { Page, Run } from "./types.ts";

/** All instances of one task of a run, counted; upstream stands first. */
export interface RunTask {
  task_id: string;
  label?: string;
  group?: string | null;
  kind?: string;
  upstream: string[];
  mapped: boolean;
  counts: Record<string, number>;
  started_at: string | null;
  ended_at: string | null;
  blocked_reason: string | null;
  reason: string | null;
  duration_s?: number | null;
  /** On the path that made the run as long as it was. */
  critical?: boolean;
}

export const runTasks = (runId: string) =>
  queryOptions({
    queryKey: ["run-tasks", runId],
    queryFn: ({ signal }) =>
      request<Page<RunTask>>(path`/runs/${runId}/tasks`, { signal }).then((page) => page.items),
    staleTime: 5_000,
  });

export const newestRun = (dagId: string) =>
  queryOptions({
    queryKey: ["newest-run", dagId],
    queryFn: ({ signal }) =>
      request<Page<Run>>("/runs", { query: { dag_id: dagId, limit: 1 }, signal }).then(
        (page) => page.items[0] ?? null,
      ),
  });
