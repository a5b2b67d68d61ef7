import { fromInput } from "./time.ts";

/** Spans up to now that a list is narrowed to. */
export const WITHIN = ["1h", "24h", "7d", "30d"] as const;
export type Within = (typeof WITHIN)[number];

const HOUR_MS = 3_600_000;
const LENGTH_MS: Record<Within, number> = {
  "1h": HOUR_MS,
  "24h": 24 * HOUR_MS,
  "7d": 7 * 24 * HOUR_MS,
  "30d": 30 * 24 * HOUR_MS,
};
const WORDS: Record<Within, string> = {
  "1h": "last hour",
  "24h": "last 24 h",
  "7d": "last 7 days",
  "30d": "last 30 days",
};

/** Of a URL: up to now, or from a day to a day, both included. */
export interface Span {
  within?: Within;
  from?: string;
  to?: string;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

export function spanIn(search: Record<string, unknown>): Span {
  const day = (value: unknown) =>
    typeof value === "string" && DAY.test(value) && !Number.isNaN(Date.parse(value))
      ? value
      : undefined;
  const within = WITHIN.find((each) => each === search.within);
  return within ? { within } : { from: day(search.from), to: day(search.to) };
}

/** What the API is asked for; a day is one of the zone that is shown. */
export function asked({ within, from, to }: Span, now: number): { from?: string; to?: string } {
  if (within) return { from: new Date(now - LENGTH_MS[within]).toISOString() };
  return {
    from: (from && fromInput(`${from}T00:00`)) || undefined,
    to: (to && fromInput(`${after(to)}T00:00`)) || undefined,
  };
}

function after(day: string): string {
  return new Date(Date.parse(day) + 24 * HOUR_MS).toISOString().slice(0, 10);
}

/** `last 24 h`, `2026-11-01 – 2026-11-03`, `since 2026-11-01`; null: all of the time. */
export function spanWords({ within, from, to }: Span): string | null {
  if (within) return WORDS[within];
  if (from && to) return from === to ? from : `${from} – ${to}`;
  return from ? `since ${from}` : to ? `until ${to}` : null;
}

export function withinWord(within: Within): string {
  return WORDS[within];
}
