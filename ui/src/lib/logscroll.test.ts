import { expect, test } from "vitest";
import {
  barOf,
  centred,
  endOf,
  inSight,
  isAtEnd,
  isExact,
  moved,
  placeOf,
  RANGE_MAX,
  rangeOf,
  TOP,
} from "./logscroll.ts";

const even = (lines: number) => ({ lines, view: 400, row: 20, wraps: false, heightOf: () => 20 });
const HUGE = even(10_000_000);

test("the range of a short log is its height, that of a huge one what a browser can do", () => {
  expect(rangeOf(even(100))).toBe(2_000);
  expect(rangeOf(even(3))).toBe(400);
  expect(rangeOf(HUGE)).toBe(RANGE_MAX);
  expect([isExact(even(100)), isExact(HUGE)]).toEqual([true, false]);
  expect(rangeOf({ ...even(3), wraps: true, heightOf: () => 200 })).toBe(1_200);
});

test("the wheel moves by pixels, however long the log is", () => {
  const place = { line: 5_000_000, offset: 15 };
  expect(moved(HUGE, place, 100)).toEqual({ line: 5_000_005, offset: 15 });
  expect(moved(HUGE, place, -16)).toEqual({ line: 4_999_999, offset: 19 });
});

test("nothing moves beyond the ends", () => {
  expect(moved(HUGE, TOP, -50)).toEqual(TOP);
  const end = endOf(HUGE);
  expect(end).toEqual({ line: 9_999_980, offset: 0 });
  expect(moved(HUGE, end, 500)).toEqual(end);
  expect(isAtEnd(HUGE, end)).toBe(true);
  expect(isAtEnd(HUGE, moved(HUGE, end, -20))).toBe(false);
  expect(moved(even(3), TOP, 50)).toEqual(TOP);
  expect(moved(even(0), TOP, 50)).toEqual(TOP);
});

test("lines that wrap have heights of their own", () => {
  const sheet = { ...even(100), wraps: true, heightOf: (line: number) => (line % 2 ? 60 : 20) };
  expect(moved(sheet, TOP, 90)).toEqual({ line: 2, offset: 10 });
  expect(moved(sheet, { line: 2, offset: 0 }, -10)).toEqual({ line: 1, offset: 50 });
  expect(endOf(sheet)).toEqual({ line: 90, offset: 0 });
});

test.each([1, 7, 1_000, 123_456, 9_999_000])("the bar at line %i leads back to it", (line) => {
  const back = placeOf(HUGE, barOf(HUGE, { line, offset: 0 }));
  expect(Math.abs(back.line - line)).toBeLessThanOrEqual(1);
});

test("the bar reaches both ends", () => {
  expect(barOf(HUGE, TOP)).toBe(0);
  expect(placeOf(HUGE, 0)).toEqual(TOP);
  expect(barOf(HUGE, endOf(HUGE))).toBe(RANGE_MAX - 400);
  expect(placeOf(HUGE, RANGE_MAX - 400)).toEqual(endOf(HUGE));
  expect(barOf(even(3), TOP)).toBe(0);
});

test("a line that is linked to stands in the middle, near an end at the end", () => {
  expect(centred(HUGE, 500)).toEqual({ line: 490, offset: 10 });
  expect(centred(HUGE, 2)).toEqual(TOP);
  expect(centred(HUGE, 99_999_999)).toEqual(endOf(HUGE));
});

test("what is in sight ends with the log", () => {
  expect(inSight(HUGE, { line: 10, offset: 5 })).toEqual({ from: 10, to: 35 });
  expect(inSight(even(5), TOP)).toEqual({ from: 0, to: 5 });
});
