import { queryOptions } from "@tanstack/react-query";
import { request } from "./request.ts";

export const durations = (dagId: string, days: number) =>
  queryOptions({
    queryKey: ["durations", dagId, days],
    queryFn: ({ signal }) =>
      request("get", "/dags/{dag_id}/durations", {
        path: { dag_id: dagId },
        query: { days },
        signal,
      }),
    staleTime: 60_000,
  });
