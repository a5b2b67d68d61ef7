import { useQueries, useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useState } from "react";
import { type LogKey, logBlock, logSize } from "@/api/logs.ts";
import { BLOCK, blocksFor, isWhole, type LogLine, logLine } from "@/lib/logwindow.ts";
import { useLogStream } from "./useLogStream.ts";

/** What a sheet shows: so many lines, of which those that were wanted are here. */
export interface Source {
  lines: number;
  /** Null: on its way. `index` counts from 0. */
  at: (index: number) => LogLine | null;
  /** The number of a line in the log, from 1. */
  numberOf: (index: number) => number;
  want: (from: number, to: number) => void;
}

/** The log of an attempt, read in blocks as they come into sight, and on while it grows. */
export function useLog(log: LogKey) {
  const [growing, setGrowing] = useState(false);
  const told = useLogStream(log, growing);
  const size = useQuery(logSize(log, told));
  const lines = size.data?.total_lines ?? 0;
  const complete = size.data?.complete ?? false;
  useEffect(() => setGrowing(size.isSuccess && !complete), [size.isSuccess, complete]);
  const [sight, setSight] = useState({ from: 0, to: 0 });
  const firsts = blocksFor(sight.from, sight.to, lines);
  const blocks = useQueries({
    queries: firsts.map((first) => ({ ...logBlock(log, first), enabled: lines > 0 })),
  });

  // A block that was read before it was full is read again when there is more of it.
  useEffect(() => {
    for (const [at, block] of blocks.entries()) {
      const held = block.data?.lines.length ?? 0;
      const wanted = Math.min(BLOCK, lines - (firsts[at] ?? 0));
      if (block.data && !isWhole(held, false) && held < wanted && !block.isFetching)
        block.refetch();
    }
  });

  const want = useCallback((from: number, to: number) => {
    setSight((before) => (before.from === from && before.to === to ? before : { from, to }));
  }, []);
  const at = (index: number): LogLine | null => {
    const first = Math.floor(index / BLOCK) * BLOCK;
    const raw = blocks[firsts.indexOf(first)]?.data?.lines[index - first];
    return raw === undefined ? null : logLine(raw);
  };
  const source: Source = { lines, at, numberOf: (index) => index + 1, want };
  const failed = size.error ?? blocks.find((block) => block.error)?.error ?? null;
  return {
    source,
    complete,
    size: size.data?.size ?? 0,
    known: size.isSuccess,
    failed,
    again: size.refetch,
  };
}
