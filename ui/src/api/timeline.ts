import { queryOptions } from "@tanstack/react-query";
import { request } from "./request.ts";

const AGAIN_MS = 30_000; // the present moves, also where nothing changes

/** As many milliseconds before now as after it. */
export const timeline = (spanMs: number) =>
  queryOptions({
    queryKey: ["timeline", spanMs],
    queryFn: ({ signal }) => {
      const now = Date.now();
      const from = new Date(now - spanMs).toISOString();
      const to = new Date(now + spanMs).toISOString();
      return request("get", "/timeline", { query: { from, to }, signal });
    },
    refetchInterval: AGAIN_MS,
  });
