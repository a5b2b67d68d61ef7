import { zone } from "./time.ts";

/** A log is read in blocks of lines, each fetched once; the last one again while the log grows. */
export const BLOCK = 500;

/** The first lines of the blocks that hold the lines from `from` up to `to`, and one around. */
export function blocksFor(from: number, to: number, lines: number): number[] {
  const first = Math.max(0, Math.floor((from - BLOCK / 4) / BLOCK));
  const last = Math.floor(Math.min(Math.max(0, lines - 1), to + BLOCK / 4) / BLOCK);
  const blocks: number[] = [];
  for (let block = first; block <= last; block += 1) blocks.push(block * BLOCK);
  return blocks;
}

/** Whether a block that was read cannot change any more. */
export function isWhole(lines: number, complete: boolean): boolean {
  return complete || lines >= BLOCK;
}

/** A line as the agent wrote it: when it was said, and what. */
export interface LogLine {
  at: string | null;
  text: string;
}

const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) ?/;

export function logLine(raw: string): LogLine {
  const at = STAMP.exec(raw);
  return at ? { at: at[1] ?? null, text: raw.slice(at[0].length) } : { at: null, text: raw };
}

/** A stamp on the clock that is shown: `12:22:20.123`. */
export function clockOf(at: string, timeZone: string = zone()): string {
  return new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
    hourCycle: "h23",
    timeZone,
  }).format(new Date(at));
}

/** How many rows a text takes where it wraps after `columns`. Exact for letters of one width. */
export function rowsOf(text: string, columns: number): number {
  return Math.max(1, Math.ceil(text.length / Math.max(1, columns)));
}

/** Lines chosen by the URL: `12`, or `12-20`; counted from 1, as people do. */
export function rangeIn(value: string | undefined): { first: number; last: number } | null {
  const found = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(value ?? "");
  if (!found) return null;
  const ends = [Number(found[1]), Number(found[2] ?? found[1])];
  const [first, last] = [Math.min(...ends), Math.max(...ends)];
  return first >= 1 ? { first, last } : null;
}

/** Where a needle stands in a text, in any case of its letters. */
export function occurrences(text: string, needle: string, most = 100): [number, number][] {
  const found: [number, number][] = [];
  if (needle === "") return found;
  const [within, wanted] = [text.toLowerCase(), needle.toLowerCase()];
  if (within.length !== text.length) return found; // letters that change their length with their case
  for (let at = within.indexOf(wanted); at >= 0 && found.length < most; ) {
    found.push([at, at + wanted.length]);
    at = within.indexOf(wanted, at + wanted.length);
  }
  return found;
}
