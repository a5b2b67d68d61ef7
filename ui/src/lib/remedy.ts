import type { Reason } from "@/api/types.ts";

/** What lets a task run that cannot as things are; null: nothing that this page knows of. */
export type Remedy =
  | { kind: "pool"; pool: string; slots: number; before: number | null }
  | { kind: "command"; command: string }
  | null;

/** A pool of another team, which only that team can resize. */
export const isLent = (pool: string) => pool.startsWith("@");

const SLOTS = 8; // of a pool that nobody has made yet

/** Why a task waits, without the command at its end where the remedy beside it is the same. */
export function withoutCommand(text: string, remedy: Remedy): string {
  return remedy ? text.replace(/: headway [^:]*$/, "") : text;
}

/** `needed`: how many slots of its pool the task takes. */
export function remedyOf(why: Reason, needed = 1): Remedy {
  switch (why.kind) {
    case "pool_missing":
      return { kind: "pool", pool: why.pool, slots: Math.max(SLOTS, needed), before: null };
    case "pool_not_shared":
      return { kind: "command", command: `headway grant ask ${why.team} use_pool ${why.pool}` };
    case "pool_empty":
      if (isLent(why.pool)) return null;
      return { kind: "pool", pool: why.pool, slots: Math.max(SLOTS, needed), before: 0 };
    case "pool_too_small":
      if (isLent(why.pool)) return null;
      return { kind: "pool", pool: why.pool, slots: why.needed, before: why.slots };
    case "no_agent":
      return { kind: "command", command: "headway up" };
    case "queue_unserved":
      return why.executor
        ? null
        : { kind: "command", command: `headway up --queue default --queue ${why.queue}` };
    default:
      return null;
  }
}
