import { queryOptions } from "@tanstack/react-query";
import { request } from "./request.ts";

export const diagnosis = (runId: string) =>
  queryOptions({
    queryKey: ["diagnosis", runId],
    queryFn: ({ signal }) =>
      request("get", "/runs/{run_id}/diagnosis", { path: { run_id: runId }, signal }),
    staleTime: 2_000,
  });
