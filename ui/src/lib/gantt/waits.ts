import type { Segment } from "@/api/types.ts";

/** What a wait is for, as the server says it: each has a colour and a hatching. */
export type Wait = NonNullable<Segment["wait"]>;

export const WAIT_WORDS: Record<Wait, string> = {
  upstream: "upstream tasks",
  pool: "a pool slot",
  limit: "a concurrency limit",
  agent: "an agent",
  paused: "a paused DAG",
  event: "what it was deferred for",
  retry: "the retry delay",
  start: "the process to start",
  other: "something else",
};

/** Seconds by what was waited for, the longest first. Waiting for upstream tasks is no loss and stands apart. */
export function waitedBy(
  segments: readonly (Pick<Segment, "wait"> & { seconds: number })[],
): { wait: Wait; seconds: number }[] {
  const sums = new Map<Wait, number>();
  for (const { wait, seconds } of segments) {
    if (wait === null || wait === "upstream" || seconds <= 0) continue;
    sums.set(wait, (sums.get(wait) ?? 0) + seconds);
  }
  return [...sums]
    .map(([wait, seconds]) => ({ wait, seconds }))
    .sort((a, b) => b.seconds - a.seconds);
}
