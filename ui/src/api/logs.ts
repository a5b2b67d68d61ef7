import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { BLOCK } from "@/lib/logwindow.ts";
import { encoded, path, type Query, request } from "./request.ts";

/** Which log: that of one attempt. */
export interface LogKey {
  run: string;
  task: string;
  map: number;
  attempt: number;
}

export interface LogLines {
  attempt: number;
  /** The number of the first line; a log begins with 1. */
  from: number;
  lines: string[];
  total_lines: number;
  size: number;
  complete: boolean;
}

export interface LogMatch {
  line: number;
  text: string;
  start: number;
  end: number;
}

interface LogMatches {
  attempt: number;
  matches: LogMatch[];
  next_from: number | null;
}

/** A page of a search in many logs: about a screenful. */
export const FOUND_LINES = 100;

// While the stream tells of it the log is asked for seldom: only against what the stream may have missed.
const [POLL_MS, SELDOM_MS] = [1_000, 10_000];

const route = ({ run, task }: LogKey, what: "lines" | "search" | "download") =>
  `${path`/runs/${run}/task-instances/${task}/logs`}/${what}`;
const keyOf = ({ run, task, map, attempt }: LogKey) => [run, task, map, attempt] as const;

/** A line of one of many logs; of which DAG it is, is told where all are searched. */
export interface FoundLine extends LogMatch {
  run_id: string;
  task_id: string;
  map_index: number;
  attempt: number;
  dag_id?: string;
  logical_date?: string;
}

interface FoundLines {
  matches: (Omit<FoundLine, "run_id"> & { run_id?: string })[];
  next_cursor: string | null;
}

/**
 * The lines of the logs of one run, or of all that fit; a page holds as many as a second is enough
 * for, and may hold none. What was found stays found: no change in the world asks again.
 */
export const logsSearch = (run: string | undefined, wanted: () => Query, key: readonly unknown[]) =>
  infiniteQueryOptions({
    queryKey: ["logs-search", ...key],
    queryFn: async ({ pageParam, signal }) => {
      const where = run ? path`/runs/${run}/logs/search` : "/logs/search";
      const query = { ...wanted(), limit: FOUND_LINES, cursor: pageParam };
      const { matches, next_cursor } = await request<FoundLines>(where, { query, signal });
      return { matches: matches.map((each) => ({ run_id: run ?? "", ...each })), next_cursor };
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    staleTime: "static",
    refetchInterval: false,
  });

/** How long the log is, and whether that is all. Asked again while it may grow. */
export const logSize = (log: LogKey, told = false) =>
  queryOptions({
    queryKey: ["log-size", ...keyOf(log)],
    queryFn: ({ signal }) => lines(log, -1, 1, signal),
    refetchInterval: (query) => (query.state.data?.complete ? false : told ? SELDOM_MS : POLL_MS),
    staleTime: 0,
  });

/** Where the server tells that this log has grown, or ended. */
export function logStream({ run, task, map, attempt }: LogKey): string {
  const query = { topics: "log", run_id: run, task_id: task, map_index: map, attempt };
  return `/api/v1/stream${encoded(query)}`;
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
      request<LogMatches>(route(log, "search"), {
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
  return `/api/v1${route(log, "download")}${encoded({ map_index: log.map, attempt: log.attempt })}`;
}

function lines(log: LogKey, from: number, count: number, signal: AbortSignal) {
  return request<LogLines>(route(log, "lines"), {
    query: { from, count, map_index: log.map, attempt: log.attempt },
    signal,
  });
}
