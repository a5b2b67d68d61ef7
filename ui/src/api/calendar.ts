import { queryOptions } from "@tanstack/react-query";
import type { Day } from "@/lib/calendar/heat.ts";
import { path, request } from "./request.ts";
import type { Page, Run } from "./types.ts";

export interface Calendar {
  timezone: string;
  days: Day[];
  fires: { at: string }[];
}

export const calendar = (dagId: string, from: string, to: string) =>
  queryOptions({
    queryKey: ["calendar", dagId, from, to],
    queryFn: ({ signal }) =>
      request<Calendar>(path`/dags/${dagId}/calendar`, { query: { from, to }, signal }),
    staleTime: 60_000,
  });

/** The runs whose logical dates lie between two instants. */
export const runsBetween = (dagId: string, from: string, to: string) =>
  queryOptions({
    queryKey: ["runs", { dag_id: dagId, from, to }, "between"],
    queryFn: ({ signal }) =>
      request<Page<Run>>("/runs", { query: { dag_id: dagId, from, to, limit: 100 }, signal }),
  });
