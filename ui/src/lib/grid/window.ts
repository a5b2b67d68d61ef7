/** What part of a long row of equal things is worth drawing. */
export interface Span {
  /** The first, and the one after the last. */
  first: number;
  last: number;
}

// A quick scroll shows what is drawn around the view before more of it is drawn.
const AROUND = 2;

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
    first: Math.min(count, Math.max(0, block - AROUND * step)),
    last: Math.min(count, block + inView + (AROUND + 1) * step),
  };
}

export interface Block extends Span {
  /** The place it is drawn in: of those drawn at once no two have the same. */
  slot: number;
}

/**
 * The span in blocks of `step`: what is drawn block by block is drawn once, and a scroll draws only
 * the block that comes into view, in the place of the one that has left it.
 */
export function blocksOf(span: Span, step: number, count: number, slots: number): Block[] {
  const blocks: Block[] = [];
  for (let first = span.first - (span.first % step); first < span.last; first += step)
    blocks.push({ first, last: Math.min(count, first + step), slot: (first / step) % slots });
  return blocks;
}

/** So many blocks `spanOf` and `blocksOf` give at most, for a view of that length. */
export function slotsFor(length: number, pitch: number, step: number): number {
  return Math.ceil((Math.ceil(length / pitch) + 1) / step) + 2 * AROUND + 1;
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
