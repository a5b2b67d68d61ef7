import { queryOptions } from "@tanstack/react-query";
import { request } from "./request.ts";

export const gantt = (runId: string) =>
  queryOptions({
    queryKey: ["gantt", runId],
    queryFn: ({ signal }) =>
      request("get", "/runs/{run_id}/gantt", {
        path: { run_id: runId },
        query: { limit: 2_000 },
        signal,
      }),
    staleTime: 5_000,
  });
