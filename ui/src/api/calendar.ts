import { queryOptions } from "@tanstack/react-query";
import { request } from "./request.ts";

export const calendar = (dagId: string, from: string, to: string, timezone: string) =>
  queryOptions({
    queryKey: ["calendar", dagId, from, to, timezone],
    queryFn: ({ signal }) =>
      request("get", "/dags/{dag_id}/calendar", {
        path: { dag_id: dagId },
        query: { from, to, timezone },
        signal,
      }),
    staleTime: 60_000,
  });

/** The runs whose logical dates lie between two instants. */
export const runsBetween = (dagId: string, from: string, to: string) =>
  queryOptions({
    queryKey: ["runs", { dag_id: dagId, from, to }, "between"],
    queryFn: ({ signal }) =>
      request("get", "/runs", { query: { dag_id: dagId, from, to, limit: 100 }, signal }),
  });
