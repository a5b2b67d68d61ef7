import { infiniteQueryOptions } from "@tanstack/react-query";
import { request } from "./request.ts";

/** Tasks by runs, fifty runs a page, the newest first. */
export const grid = (dagId: string) =>
  infiniteQueryOptions({
    queryKey: ["grid", dagId],
    queryFn: ({ pageParam, signal }) =>
      request("get", "/dags/{dag_id}/grid", {
        path: { dag_id: dagId },
        query: { limit: 50, before: pageParam },
        signal,
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    staleTime: 10_000,
  });
