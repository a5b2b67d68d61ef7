const HOUR_MS = 3_600_000;

/** How far the timeline looks, back and ahead, as its address says it. */
export const SPANS = [
  { span: "6h", word: "6 hours", ms: 6 * HOUR_MS },
  { span: "24h", word: "24 hours", ms: 24 * HOUR_MS },
  { span: "7d", word: "7 days", ms: 168 * HOUR_MS },
] as const;

export type SpanName = (typeof SPANS)[number]["span"];

/** Undefined for the one that need not be said. */
export function spanNamed(value: unknown): SpanName | undefined {
  const found = SPANS.find(({ span }) => span === value)?.span;
  return found === SPANS[0].span ? undefined : found;
}

export function spanMs(name: SpanName | undefined): number {
  return (SPANS.find(({ span }) => span === name) ?? SPANS[0]).ms;
}
