import { queryOptions } from "@tanstack/react-query";
import { request } from "./request.ts";
import type { components } from "./schema.ts";

export type Timeline = components["schemas"]["Timeline"];
export type PoolLoad = components["schemas"]["PoolLoad"];

const AGAIN_MS = 30_000; // the present moves, also where nothing changes

/** As many milliseconds before now as after it. */
export const timeline = (spanMs: number) =>
  queryOptions({
    queryKey: ["timeline", spanMs],
    queryFn: ({ signal }) => {
      const now = Date.now();
      const from = new Date(now - spanMs).toISOString();
      const to = new Date(now + spanMs).toISOString();
      return request<Timeline>("/timeline", { query: { from, to }, signal });
    },
    refetchInterval: AGAIN_MS,
  });
