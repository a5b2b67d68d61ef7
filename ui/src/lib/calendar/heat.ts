import type { Day } from "@/api/types.ts";

export type Measure = "outcome" | "duration";

export interface Heat {
  /** A state gives the hue; null: the accent, for how much. */
  state: string | null;
  /** 0 for nothing, then 1 to 4. */
  level: number;
}

/** A day's colour by how its runs ended: any failure is seen, however many went well. */
export function outcomeHeat(day: Day): Heat {
  const ended = day.success + day.failed + day.cancelled + day.skipped;
  if (day.failed > 0) return { state: "failed", level: levelOf(day.failed / Math.max(1, ended)) };
  if (day.running > 0) return { state: "running", level: 3 };
  if (day.success > 0) return { state: "success", level: levelOf(day.success / ended) };
  if (day.cancelled > 0) return { state: "cancelled", level: 2 };
  return day.skipped > 0 ? { state: "skipped", level: 2 } : { state: null, level: 0 };
}

/** A day's colour by how long its runs took, beside the other days. */
export function durationHeat(day: Day, longest: number): Heat {
  if (!day.duration_s || longest <= 0) return { state: null, level: 0 };
  return { state: null, level: levelOf(day.duration_s / longest) };
}

function levelOf(share: number): number {
  return Math.min(4, Math.max(1, Math.ceil(share * 4)));
}

export function runsOf(day: Day): number {
  return day.success + day.failed + day.running + day.cancelled + day.skipped;
}
