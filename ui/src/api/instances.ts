import { queryOptions } from "@tanstack/react-query";
import { pages } from "./queries.ts";
import { path, request } from "./request.ts";

export interface Attempt {
  number: number;
  state: string;
  cause: string | null;
  detail: string | null;
  line: number | null;
  exit_code: number | null;
  agent: string | null;
  pid: number | null;
  queued_at: string;
  started_at: string | null;
  ended_at: string | null;
}

export interface TaskInstance {
  task_id: string;
  map_index: number;
  state: string;
  attempts: number;
  blocked_reason: string | null;
  reason: string | null;
  queued_at: string | null;
  started_at: string | null;
  ended_at: string | null;
}

export interface TaskInstanceDetail extends TaskInstance {
  run_id: string;
  dag_id: string;
  file: string;
  pool: string;
  wake_at: string | null;
  history: Attempt[];
}

export interface XCom {
  task_id: string;
  map_index: number;
  key: string;
  number: number;
  size: number;
  length: number | null;
  /** JSON with tags; see lib/xcom. Absent when it is too large and lies in `file`. */
  value: unknown;
  file: string | null;
}

export const instance = (runId: string, taskId: string, mapIndex: number) =>
  queryOptions({
    queryKey: ["instance", runId, taskId, mapIndex],
    queryFn: ({ signal }) =>
      request<TaskInstanceDetail>(path`/runs/${runId}/task-instances/${taskId}`, {
        query: { map_index: mapIndex },
        signal,
      }),
    staleTime: 5_000,
  });

export const instances = (runId: string, taskId: string, state: string | undefined) =>
  pages<TaskInstance>(
    ["instances", runId, taskId, state ?? ""],
    path`/runs/${runId}/task-instances`,
    { task_id: taskId, state },
    500,
  );

export const xcoms = (runId: string, taskId: string, mapIndex: number) =>
  pages<XCom>(
    ["xcoms", runId, taskId, mapIndex],
    path`/runs/${runId}/xcoms`,
    { task_id: taskId, map_index: String(mapIndex) },
    50,
  );
