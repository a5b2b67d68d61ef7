/**
 * Where a log is scrolled to. The truth is a place in the log: a line, and how many pixels of it lie
 * above the edge. The scroll bar only mirrors it, for browsers refuse elements of more than some
 * 33 million pixels and a log may have 10^7 lines: beyond `RANGE_MAX` the bar stands for more lines a
 * pixel, while the wheel and the keys still move by real pixels.
 */
export interface Place {
  line: number;
  offset: number;
}

/** What the log looks like on the screen; where it wraps, `heightOf` may be an estimate. */
export interface Sheet {
  lines: number;
  view: number;
  row: number;
  wraps: boolean;
  heightOf: (line: number) => number;
}

export const TOP: Place = { line: 0, offset: 0 };
export const RANGE_MAX = 8_000_000;

/** The height of what the scroll bar scrolls. */
export function rangeOf(sheet: Sheet): number {
  const { lines, view, row } = sheet;
  const few = sheet.wraps && endOf(sheet) !== TOP ? view * 3 : view; // lines that wrap may be tall
  return Math.max(few, Math.min(lines * row, RANGE_MAX));
}

/** Whether a pixel of the scroll bar is a pixel of the text. */
export function isExact({ lines, row, wraps }: Sheet): boolean {
  return !wraps && lines * row <= RANGE_MAX;
}

/** `delta` pixels further down, or up; never beyond an end. */
export function moved(sheet: Sheet, from: Place, delta: number): Place {
  let line = Math.min(from.line, Math.max(0, sheet.lines - 1));
  let offset = from.offset + delta;
  while (offset < 0 && line > 0) {
    line -= 1;
    offset += sheet.heightOf(line);
  }
  while (line < sheet.lines - 1 && offset >= sheet.heightOf(line)) {
    offset -= sheet.heightOf(line);
    line += 1;
  }
  const place = { line, offset: Math.max(0, offset) };
  const end = endOf(sheet);
  return after(place, end) ? end : place;
}

/** The place at which the last line ends at the lower edge. */
export function endOf(sheet: Sheet): Place {
  let left = sheet.view;
  let line = sheet.lines;
  while (line > 0 && left > 0) {
    line -= 1;
    left -= sheet.heightOf(line);
  }
  return left > 0 ? TOP : { line, offset: 0 - left };
}

export function isAtEnd(sheet: Sheet, place: Place): boolean {
  const end = endOf(sheet);
  return place.line > end.line || (place.line === end.line && place.offset >= end.offset - 1);
}

/** With `line` in the middle of the view, as far as the ends allow. */
export function centred(sheet: Sheet, line: number): Place {
  const within = Math.min(Math.max(0, line), Math.max(0, sheet.lines - 1));
  return moved(sheet, { line: within, offset: 0 }, -(sheet.view - sheet.row) / 2);
}

/** Where the scroll bar stands for a place. */
export function barOf(sheet: Sheet, place: Place): number {
  const room = rangeOf(sheet) - sheet.view;
  const end = endOf(sheet);
  const most = inLines(sheet, end);
  if (most <= 0 || room <= 0) return 0;
  return Math.min(room, (inLines(sheet, place) / most) * room);
}

/** The place for where the scroll bar was dragged to. */
export function placeOf(sheet: Sheet, bar: number): Place {
  const room = rangeOf(sheet) - sheet.view;
  const end = endOf(sheet);
  if (room <= 0 || bar >= room) return room <= 0 ? TOP : end;
  const at = (Math.max(0, bar) / room) * inLines(sheet, end);
  const line = Math.floor(at);
  const place = { line, offset: (at - line) * sheet.heightOf(line) };
  return after(place, end) ? end : place;
}

/** The lines in sight, and some around them. */
export function inSight(sheet: Sheet, place: Place, around = 4): { from: number; to: number } {
  let to = place.line;
  let left = sheet.view + place.offset;
  while (to < sheet.lines && left > 0) {
    left -= sheet.heightOf(to);
    to += 1;
  }
  return { from: place.line, to: Math.min(sheet.lines, to + around) };
}

function inLines(sheet: Sheet, place: Place): number {
  return place.line + place.offset / Math.max(1, sheet.heightOf(place.line));
}

function after(a: Place, b: Place): boolean {
  return a.line > b.line || (a.line === b.line && a.offset > b.offset);
}
