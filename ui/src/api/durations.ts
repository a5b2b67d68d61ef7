import { queryOptions } from "@tanstack/react-query";
import { path, request } from "./request.ts";

export interface Spread {
  count: number;
  mean_s: number | null;
  p50_s: number | null;
  p95_s: number | null;
  /** How much longer than in the days before; null: too few to say. */
  trend_pct: number | null;
}

export interface TaskSpread extends Spread {
  task_id: string;
  wait_p50_s: number | null;
}

export interface DayOfRuns {
  day: string;
  count: number;
  p50_s: number | null;
  p95_s: number | null;
  failed: number;
}

export interface Durations {
  days: number;
  dag: Spread;
  by_day: DayOfRuns[];
  tasks: TaskSpread[];
}

export const durations = (dagId: string, days: number) =>
  queryOptions({
    queryKey: ["durations", dagId, days],
    queryFn: ({ signal }) =>
      request<Durations>(path`/dags/${dagId}/durations`, { query: { days }, signal }),
    staleTime: 60_000,
  });
