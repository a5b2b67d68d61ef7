import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { type LogKey, logSize, logStream } from "@/api/logs.ts";

/**
 * Be told when a log has grown, while it may grow and somebody looks at it. A tab in the background
 * lets go: a browser has few connections to a server, and its other tabs want them. True while told.
 */
export function useLogStream(log: LogKey, growing: boolean): boolean {
  const queries = useQueryClient();
  const [told, setTold] = useState(false);
  const { run, task, map, attempt } = log;
  useEffect(() => {
    if (!growing) return;
    const key = { run, task, map, attempt };
    let stream: EventSource | null = null;
    const reread = () => queries.invalidateQueries({ queryKey: logSize(key).queryKey });
    const leave = () => {
      stream?.close();
      stream = null;
      setTold(false);
    };
    const turn = () => {
      leave();
      if (document.hidden) return;
      stream = new EventSource(logStream(key));
      stream.onopen = () => setTold(true);
      stream.onerror = () => setTold(false);
      stream.addEventListener("log", reread);
    };
    turn();
    document.addEventListener("visibilitychange", turn);
    return () => {
      document.removeEventListener("visibilitychange", turn);
      leave();
    };
  }, [queries, run, task, map, attempt, growing]);
  return told;
}
