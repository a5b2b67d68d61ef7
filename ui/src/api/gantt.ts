import { queryOptions } from "@tanstack/react-query";
import type { Bar } from "@/lib/gantt/bars.ts";
import { path, request } from "./request.ts";
import type { Run } from "./types.ts";

export interface Gantt {
  run: Run;
  now: string;
  bars: Bar[];
  waiting_by_reason: { reason: string; total_s: number }[];
  /** The run has more instances than were asked for. */
  truncated: boolean;
}

export const gantt = (runId: string) =>
  queryOptions({
    queryKey: ["gantt", runId],
    queryFn: ({ signal }) =>
      request<Gantt>(path`/runs/${runId}/gantt`, { query: { limit: 2_000 }, signal }),
    staleTime: 5_000,
  });
