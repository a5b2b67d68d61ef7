import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { type LogKey, logSize, logStream } from "@/api/logs.ts";
import { type Liveness, Stream } from "@/state/stream.ts";

/** Be told when a log has grown, while it may grow and somebody looks at it. True while told. */
export function useLogStream(log: LogKey, growing: boolean): boolean {
  const queries = useQueryClient();
  const [told, setTold] = useState(false);
  const { run, task, map, attempt } = log;
  useEffect(() => {
    if (!growing) return;
    const key = { run, task, map, attempt };
    const listener = {
      change: () => void queries.invalidateQueries({ queryKey: logSize(key).queryKey }),
      gap: () => undefined, // a stream of a log begins with how long it is
      became: (liveness: Liveness) => setTold(liveness === "live"),
    };
    const stream = new Stream((position) => logStream(key, position), listener, 0);
    stream.start();
    return () => stream.stop();
  }, [queries, run, task, map, attempt, growing]);
  return told;
}
