import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { BLOCK } from "@/lib/logwindow.ts";
import { address, type QueryOf, request } from "./request.ts";
import type { FoundLine, Page } from "./types.ts";

/** Which log: that of one attempt. */
export interface LogKey {
  run: string;
  task: string;
  map: number;
  attempt: number;
}

/** A page of a search in many logs: about a screenful. */
export const FOUND_LINES = 100;

// While the stream tells of it the log is asked for seldom: only against what the stream may have missed.
const [POLL_MS, SELDOM_MS] = [1_000, 10_000];

const ONE = "/runs/{run_id}/task-instances/{task_id}/logs";
const pathOf = ({ run, task }: LogKey) => ({ run_id: run, task_id: task });
const keyOf = ({ run, task, map, attempt }: LogKey) => [run, task, map, attempt] as const;

/** What is looked for; all but the text narrows the runs, and says nothing of one run. */
export type Wanted = Omit<QueryOf<"/logs/search">, "limit" | "cursor">;

/**
 * The lines of the logs of one run, or of all that fit; a page holds as many as a second is enough
 * for, and may hold none. What was found stays found: no change in the world asks again.
 */
export const logsSearch = (
  run: string | undefined,
  wanted: () => Wanted,
  key: readonly unknown[],
) =>
  infiniteQueryOptions({
    queryKey: ["logs-search", ...key],
    queryFn: ({ pageParam: cursor, signal }) => {
      const query = { ...wanted(), limit: FOUND_LINES, cursor };
      return run === undefined
        ? request("get", "/logs/search", { query, signal })
        : foundIn(run, query, signal);
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    staleTime: "static",
    refetchInterval: false,
  });

/** Of one run the server need not say which it is. */
async function foundIn(
  run: string,
  { q, regex, ignore_case, limit, cursor }: QueryOf<"/logs/search">,
  signal: AbortSignal,
): Promise<{ matches: FoundLine[] } & Pick<Page<FoundLine>, "next_cursor">> {
  const query = { q, regex, ignore_case, limit, cursor };
  const path = { run_id: run };
  const found = await request("get", "/runs/{run_id}/logs/search", { path, query, signal });
  return { ...found, matches: found.matches.map((each) => ({ run_id: run, ...each })) };
}

/** How long the log is, and whether that is all. Asked again while it may grow. */
export const logSize = (log: LogKey, told = false) =>
  queryOptions({
    queryKey: ["log-size", ...keyOf(log)],
    queryFn: ({ signal }) => lines(log, -1, 1, signal),
    refetchInterval: (query) => (query.state.data?.complete ? false : told ? SELDOM_MS : POLL_MS),
    staleTime: 0,
  });

/** Where the server tells that this log has grown, or ended. */
export function logStream(log: LogKey, position: string | null): string {
  const query = {
    topics: "log",
    run_id: log.run,
    task_id: log.task,
    map_index: log.map,
    attempt: log.attempt,
    last_event_id: position,
  };
  return address("/stream", { query });
}

/** A block of lines; `first` counts from 0. */
export const logBlock = (log: LogKey, first: number) =>
  queryOptions({
    queryKey: ["log", ...keyOf(log), first],
    queryFn: ({ signal }) => lines(log, first + 1, BLOCK, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
  });

/** The lines that hold a text, or match an expression, in pages. */
export const logSearch = (log: LogKey, q: string, expression: boolean) =>
  infiniteQueryOptions({
    queryKey: ["log-search", ...keyOf(log), q, expression],
    queryFn: ({ pageParam, signal }) =>
      request("get", `${ONE}/search`, {
        path: pathOf(log),
        query: {
          q,
          from: pageParam,
          map_index: log.map,
          attempt: log.attempt,
          regex: expression,
          ignore_case: !expression,
          limit: 500,
        },
        signal,
      }),
    initialPageParam: 1,
    getNextPageParam: (last) => last.next_from,
    enabled: q !== "",
    staleTime: 5_000,
  });

export function logDownload(log: LogKey): string {
  return address(`${ONE}/download`, {
    path: pathOf(log),
    query: { map_index: log.map, attempt: log.attempt },
  });
}

function lines(log: LogKey, from: number, count: number, signal: AbortSignal) {
  return request("get", `${ONE}/lines`, {
    path: pathOf(log),
    query: { from, count, map_index: log.map, attempt: log.attempt },
    signal,
  });
}
