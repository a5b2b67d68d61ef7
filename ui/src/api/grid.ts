import { infiniteQueryOptions } from "@tanstack/react-query";
import { path, request } from "./request.ts";

export interface GridTask {
  task_id: string;
  label: string;
  /** Empty: none. */
  group: string;
  depth: number;
  kind: string;
  mapped: boolean;
  upstream: number[];
  /** No longer in the newest version. */
  removed?: boolean;
}

export interface Group {
  group_id: string;
  label: string;
  parent: string;
}

export interface GridRun {
  run_id: string;
  state: string;
  trigger: string;
  logical_date: string;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
  version: number;
  backfill_id: string | null;
  note: string | null;
  /** A letter for each task. */
  cells: string;
  /** Counts by state for each mapped task, by its place among the tasks. */
  mapped: Record<string, Record<string, number>>;
}

export interface Grid {
  dag_id: string;
  tasks: GridTask[];
  groups: Group[];
  runs: GridRun[];
  next_cursor: string | null;
}

/** Tasks by runs, fifty runs a page, the newest first. */
export const grid = (dagId: string) =>
  infiniteQueryOptions({
    queryKey: ["grid", dagId],
    queryFn: ({ pageParam, signal }) =>
      request<Grid>(path`/dags/${dagId}/grid`, { query: { limit: 50, before: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    staleTime: 10_000,
  });
