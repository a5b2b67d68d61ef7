import { queryOptions } from "@tanstack/react-query";
import { pages } from "./pages.ts";
import { type QueryOf, request } from "./request.ts";

export const instance = (runId: string, taskId: string, mapIndex: number) =>
  queryOptions({
    queryKey: ["instance", runId, taskId, mapIndex],
    queryFn: ({ signal }) =>
      request("get", "/runs/{run_id}/task-instances/{task_id}", {
        path: { run_id: runId, task_id: taskId },
        query: { map_index: mapIndex },
        signal,
      }),
    staleTime: 5_000,
  });

type Filter = QueryOf<"/runs/{run_id}/task-instances">;

/** Of a run, those that the filter leaves: of a task, in a state, with an error, of a name. */
export const instances = (runId: string, filter: Filter) =>
  pages(["instances", runId, filter], (cursor, signal) =>
    request("get", "/runs/{run_id}/task-instances", {
      path: { run_id: runId },
      query: { ...filter, limit: 500, cursor },
      signal,
    }),
  );

export const xcoms = (runId: string, taskId: string, mapIndex: number) =>
  pages(["xcoms", runId, taskId, mapIndex], (cursor, signal) =>
    request("get", "/runs/{run_id}/xcoms", {
      path: { run_id: runId },
      query: { task_id: taskId, map_index: mapIndex, limit: 50, cursor },
      signal,
    }),
  );
