import { queryOptions } from "@tanstack/react-query";
import { request } from "./request.ts";

export const durations = (dagId: string, days: number, timezone: string) =>
  queryOptions({
    queryKey: ["durations", dagId, days, timezone],
    queryFn: ({ signal }) =>
      request("get", "/dags/{dag_id}/durations", {
        path: { dag_id: dagId },
        query: { days, timezone },
        signal,
      }),
    staleTime: 60_000,
  });
