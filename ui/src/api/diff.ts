import { queryOptions } from "@tanstack/react-query";
import { request } from "./request.ts";

/** How two runs of a DAG differ: `run` first, then `other`. */
export const runDiff = (run: string, other: string) =>
  queryOptions({
    queryKey: ["run-diff", run, other],
    queryFn: ({ signal }) =>
      request("get", "/runs/{run_id}/diff", {
        path: { run_id: run },
        query: { with: other },
        signal,
      }),
  });
