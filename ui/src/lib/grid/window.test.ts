import { expect, test } from "vitest";
import { blocksOf, offsetToShow, slotsFor, spanOf } from "./window.ts";

test("everything in view is in the span, at any offset", () => {
  for (let offset = 0; offset < 32_000; offset += 37) {
    const { first, last } = spanOf(offset, 700, 16, 2000, 16);
    expect(first * 16).toBeLessThanOrEqual(Math.min(offset, 2000 * 16));
    expect(last).toBeGreaterThanOrEqual(Math.min(2000, (offset + 700) / 16));
    expect(last - first).toBeLessThanOrEqual(700 / 16 + 6 * 16);
  }
});

test("a scroll within a step changes nothing", () => {
  expect(spanOf(1600, 700, 16, 2000, 16)).toEqual(spanOf(1610, 700, 16, 2000, 16));
});

test("few things are all in the span, and none of none", () => {
  expect(spanOf(0, 700, 16, 3, 16)).toEqual({ first: 0, last: 3 });
  expect(spanOf(-20, 700, 16, 0, 16)).toEqual({ first: 0, last: 0 });
});

test("the shortest way to see a thing", () => {
  expect(offsetToShow(10, 16, 0, 700)).toBe(0);
  expect(offsetToShow(100, 16, 0, 700)).toBe(101 * 16 + 16 - 700);
  expect(offsetToShow(2, 16, 320, 700)).toBe(16);
});

test("blocks hold the span, and are the same blocks wherever it begins", () => {
  expect(blocksOf({ first: 16, last: 40 }, 16, 45, 8)).toEqual([
    { first: 16, last: 32, slot: 1 },
    { first: 32, last: 45, slot: 2 },
  ]);
  expect(blocksOf({ first: 20, last: 33 }, 16, 45, 8)).toEqual(
    blocksOf({ first: 16, last: 40 }, 16, 45, 8),
  );
  expect(blocksOf({ first: 0, last: 0 }, 16, 45, 8)).toEqual([]);
});

test("a block that comes into view takes the place of the one that has left it", () => {
  const slots = slotsFor(700, 16, 16);
  for (let offset = 0; offset < 32_000; offset += 37) {
    const blocks = blocksOf(spanOf(offset, 700, 16, 2000, 16), 16, 2000, slots);
    expect(new Set(blocks.map((block) => block.slot)).size).toBe(blocks.length);
  }
});
