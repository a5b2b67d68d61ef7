import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { type LogKey, logSearch } from "@/api/logs.ts";
import { type Level, levelPattern } from "@/lib/level.ts";
import { logLine } from "@/lib/logwindow.ts";
import type { Source } from "./useLog.ts";

const PAGES_MAX = 40; // of 500 lines each: more than anybody goes through

/** Which lines hold `q`, the whole log through, as far as it was searched. */
export function useMatches(log: LogKey, q: string, expression = false) {
  const found = useInfiniteQuery(logSearch(log, q, expression));
  const { hasNextPage, isFetching, fetchNextPage, data } = found;
  const pages = data?.pages.length ?? 0;
  useEffect(() => {
    if (hasNextPage && !isFetching && pages < PAGES_MAX) fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage, pages]);
  const matches = useMemo(() => data?.pages.flatMap((page) => page.matches) ?? [], [data]);
  return { matches, more: hasNextPage, searching: isFetching, failed: found.error };
}

/** Only the lines of a level and of those above it; null when all are wanted. */
export function useLevel(
  log: LogKey,
  least: Level | undefined,
): (Source & { searching: boolean }) | null {
  const pattern = least ? levelPattern(least) : null;
  const { matches, searching } = useMatches(log, pattern ?? "", true);
  if (pattern === null) return null;
  return {
    lines: matches.length,
    at: (index) => logLine(matches[index]?.text ?? ""),
    numberOf: (index) => matches[index]?.line ?? 0,
    want: () => undefined,
    searching,
  };
}
