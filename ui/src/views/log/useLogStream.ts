import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { type LogKey, logSize, logStream } from "@/api/logs.ts";
import { Stream } from "@/state/stream.ts";

/** Be told when a log has grown, while it may grow and somebody looks at it. True while told. */
export function useLogStream(log: LogKey, growing: boolean): boolean {
  const queries = useQueryClient();
  const [told, setTold] = useState(false);
  const { run, task, map, attempt } = log;
  useEffect(() => {
    if (!growing) return;
    const key = { run, task, map, attempt };
    const reread = () => queries.invalidateQueries({ queryKey: logSize(key).queryKey });
    const stream = new Stream((position) => logStream(key, position), {
      change: reread,
      gap: reread,
      became: (liveness) => setTold(liveness === "live"),
    });
    stream.start();
    return () => stream.stop();
  }, [queries, run, task, map, attempt, growing]);
  return told;
}
