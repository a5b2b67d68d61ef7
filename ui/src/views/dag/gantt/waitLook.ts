import { WAITS } from "@/api/words.ts";
import type { Wait } from "@/lib/gantt/waits.ts";

/** The colour of what is waited for, and how its hatching leans; also told in words everywhere. */
export const WAIT_LOOK: Record<Wait, { colour: string; lean: number }> = {
  upstream: { colour: "var(--border-strong)", lean: 0 },
  pool: { colour: "var(--ready)", lean: 45 },
  limit: { colour: "var(--accent)", lean: 135 },
  agent: { colour: "var(--lost)", lean: 90 },
  paused: { colour: "var(--cancelled)", lean: 0 },
  event: { colour: "var(--deferred)", lean: 45 },
  retry: { colour: "var(--up_for_retry)", lean: 135 },
  start: { colour: "var(--queued)", lean: 45 },
  other: { colour: "var(--waiting)", lean: 90 },
};

export const HATCHED = WAITS.filter((wait) => wait !== "upstream");

export function hatch(wait: Wait): string {
  return `url(#wait-${wait})`;
}
