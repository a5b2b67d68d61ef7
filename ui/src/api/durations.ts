import { queryOptions } from "@tanstack/react-query";
import { path, request } from "./request.ts";
import type { Durations } from "./types.ts";

export const durations = (dagId: string, days: number) =>
  queryOptions({
    queryKey: ["durations", dagId, days],
    queryFn: ({ signal }) =>
      request<Durations>(path`/dags/${dagId}/durations`, { query: { days }, signal }),
    staleTime: 60_000,
  });
