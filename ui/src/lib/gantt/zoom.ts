/** What part of a run's time is seen, in the address as milliseconds since its beginning: `200-950`. */
export interface Span {
  from: number;
  to: number;
}

const LEAST_MS = 5;

/** The part that the address names, as far as the run has it; null: all of it. */
export function zoomOf(text: string | undefined, whole: Span): Span | null {
  const [, from, to] = /^(\d+)-(\d+)$/.exec(text ?? "") ?? [];
  if (from === undefined || to === undefined) return null;
  return within({ from: whole.from + Number(from), to: whole.from + Number(to) }, whole);
}

/** As it stands in the address; undefined for all of it. */
export function zoomText(part: Span, whole: Span): string | undefined {
  const seen = within(part, whole);
  if (!seen) return undefined;
  return `${Math.round(seen.from - whole.from)}-${Math.round(seen.to - whole.from)}`;
}

/** Nearer (below 1) or farther, with the moment `at` where it was. */
export function zoomedBy(part: Span, factor: number, at: number): Span {
  return { from: at - (at - part.from) * factor, to: at + (part.to - at) * factor };
}

/** Earlier or later by a share of what is seen, no farther than the run goes. */
export function movedBy(part: Span, share: number, whole: Span): Span {
  const wanted = (part.to - part.from) * share;
  const by = Math.min(Math.max(wanted, whole.from - part.from), whole.to - part.to);
  return { from: part.from + by, to: part.to + by };
}

function within(part: Span, whole: Span): Span | null {
  const from = Math.max(whole.from, Math.min(part.from, whole.to - LEAST_MS));
  const to = Math.min(whole.to, Math.max(part.to, from + LEAST_MS));
  return from <= whole.from && to >= whole.to ? null : { from, to };
}
