/** What part of a long row of equal things is worth drawing. */
export interface Span {
  /** The first, and the one after the last. */
  first: number;
  last: number;
}

/**
 * The things in view and some around them, in steps of `step`: while a scroll stays within the
 * step the answer is the same, so nothing is drawn anew.
 */
export function spanOf(
  offset: number,
  length: number,
  pitch: number,
  count: number,
  step: number,
): Span {
  const block = Math.floor(Math.max(0, offset) / pitch / step) * step;
  const inView = Math.ceil(length / pitch) + 1;
  return {
    first: Math.min(count, Math.max(0, block - step)),
    last: Math.min(count, block + inView + 2 * step),
  };
}

/**
 * The span in blocks of `step`: what is drawn block by block is drawn once, and a scroll draws only
 * the block that comes into view.
 */
export function blocksOf(span: Span, step: number, count: number): Span[] {
  const blocks: Span[] = [];
  for (let first = span.first - (span.first % step); first < span.last; first += step)
    blocks.push({ first, last: Math.min(count, first + step) });
  return blocks;
}

/** Where to scroll so that the thing is seen; the offset as it is when it is seen already. */
export function offsetToShow(
  at: number,
  pitch: number,
  offset: number,
  length: number,
  margin = pitch,
): number {
  const [from, to] = [at * pitch - margin, (at + 1) * pitch + margin];
  if (from < offset) return Math.max(0, from);
  return to > offset + length ? to - length : offset;
}
