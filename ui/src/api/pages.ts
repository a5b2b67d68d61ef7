import { infiniteQueryOptions } from "@tanstack/react-query";
import type { Page } from "./types.ts";

/** A list that is read page by page; `read` is given where to go on, null at first. */
export function pages<P extends Page<unknown>>(
  queryKey: readonly unknown[],
  read: (cursor: string | null, signal: AbortSignal) => Promise<P>,
) {
  return infiniteQueryOptions({
    queryKey,
    queryFn: ({ pageParam, signal }) => read(pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    select: (data): P["items"][number][] => data.pages.flatMap((page) => page.items),
  });
}
