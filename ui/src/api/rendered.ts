import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { LogKey } from "./logs.ts";
import { path, request } from "./request.ts";
import type { RenderedFields } from "./types.ts";

const POLL_MS = 2_000;

/** What an attempt got. It tells just before it begins: until then, and not for ever, it is asked again. */
export const rendered = ({ run, task, map, attempt }: LogKey, ended: boolean) =>
  queryOptions({
    queryKey: ["rendered", run, task, map, attempt, ended],
    queryFn: ({ signal }) =>
      request<RenderedFields>(path`/runs/${run}/task-instances/${task}/rendered`, {
        query: { map_index: map, attempt },
        signal,
      }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (ended || state.data?.fields.length ? false : POLL_MS),
    staleTime: ended ? Number.POSITIVE_INFINITY : 0,
  });
