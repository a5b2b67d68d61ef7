import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { FOUND_LINES, logsSearch } from "@/api/logs.ts";
import { asked, type Wish } from "./wish.ts";

/** A search that goes on by itself until there is a screenful to read, or nothing left to search. */
export function useFound(wish: Wish) {
  const queries = useQueryClient();
  const [stopped, setStopped] = useState(false);
  const [wanted, setWanted] = useState(FOUND_LINES);
  const options = logsSearch(wish.run, () => asked(wish, Date.now()), [wish]);
  // What was refused would be refused again: only who searches asks once more.
  const found = useInfiniteQuery({
    ...options,
    enabled: ({ state }) => !stopped && state.status !== "error",
  });
  const { data, hasNextPage, isFetching, isError, fetchNextPage } = found;
  const lines = useMemo(() => data?.pages.flatMap((page) => page.matches) ?? [], [data]);
  const goesOn = hasNextPage && !stopped && !isError && lines.length < wanted;
  useEffect(() => {
    if (goesOn && !isFetching) fetchNextPage();
  }, [goesOn, isFetching, fetchNextPage]);
  return {
    lines,
    searching: isFetching || goesOn,
    stopped,
    /** Whether every log was searched. */
    whole: data !== undefined && !hasNextPage,
    error: found.error,
    stop: () => {
      setStopped(true);
      queries.cancelQueries({ queryKey: options.queryKey });
    },
    goOn: () => {
      setStopped(false);
      setWanted(lines.length + FOUND_LINES);
      if (isError) fetchNextPage();
    },
    again: () => {
      setStopped(false);
      setWanted(FOUND_LINES);
      queries.resetQueries({ queryKey: options.queryKey });
    },
  };
}
