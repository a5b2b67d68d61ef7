/**
 * What an instance waits for, in few kinds: each has a colour and a hatching, so that a long wait
 * says what it was for before anybody reads.
 */
export const WAITS = [
  "upstream",
  "pool",
  "limit",
  "agent",
  "paused",
  "retry",
  "start",
  "other",
] as const;
export type Wait = (typeof WAITS)[number];

export const WAIT_WORDS: Record<Wait, string> = {
  upstream: "upstream tasks",
  pool: "a pool slot",
  limit: "a concurrency limit",
  agent: "an agent",
  paused: "a paused DAG",
  retry: "the retry delay",
  start: "the process to start",
  other: "something else",
};

const SAID: readonly [Wait, RegExp][] = [
  ["paused", /paused/i],
  ["pool", /\bpool\b|\bslots?\b/i],
  ["agent", /\bagents?\b/i],
  ["limit", /max_active|\blimit\b|at once/i],
  ["retry", /\bretr(y|ies)\b/i],
  ["upstream", /upstream/i],
];

/** The kind of a segment: what its reason says, or else what the segment is. */
export function waitOf(kind: string, reason: string | null): Wait {
  if (kind === "upstream" || kind === "retry") return kind;
  if (kind === "queued") return "start";
  return SAID.find(([, pattern]) => pattern.test(reason ?? ""))?.[0] ?? "other";
}

/** Seconds by kind, the longest first. Waiting for upstream tasks is no loss and stands apart. */
export function waitedBy(
  segments: readonly { kind: string; reason: string | null; seconds: number }[],
): { wait: Wait; seconds: number }[] {
  const sums = new Map<Wait, number>();
  for (const { kind, reason, seconds } of segments) {
    if (kind === "running" || kind === "upstream" || seconds <= 0) continue;
    const wait = waitOf(kind, reason);
    sums.set(wait, (sums.get(wait) ?? 0) + seconds);
  }
  return [...sums]
    .map(([wait, seconds]) => ({ wait, seconds }))
    .sort((a, b) => b.seconds - a.seconds);
}
