import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { LogKey } from "./logs.ts";
import { request } from "./request.ts";

const POLL_MS = 2_000;

/** What an attempt got. It is told just before the attempt begins: until then it is asked for again. */
export const rendered = ({ run, task, map, attempt }: LogKey, ended: boolean) =>
  queryOptions({
    queryKey: ["rendered", run, task, map, attempt, ended],
    queryFn: ({ signal }) =>
      request("get", "/runs/{run_id}/task-instances/{task_id}/rendered", {
        path: { run_id: run, task_id: task },
        query: { map_index: map, attempt },
        signal,
      }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (ended || state.data?.fields.length ? false : POLL_MS),
    staleTime: ended ? Number.POSITIVE_INFINITY : 0,
  });
