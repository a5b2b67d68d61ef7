import { expect, test } from "vitest";
import { excerptLines } from "./excerpt.ts";

test("a mark in the text", () => {
  expect(excerptLines("  11 | a = 1\n> 12 | b = a / 0\n", null)).toEqual([
    { number: 11, text: "a = 1", failing: false },
    { number: 12, text: "b = a / 0", failing: true },
  ]);
});

test("the number that is given", () => {
  expect(excerptLines("11 | a\n12 | b", 11).map((line) => line.failing)).toEqual([true, false]);
});

test("the last line that names an error", () => {
  const text = 'Traceback (most recent call last):\n  File "x.py", line 3\nValueError: no';
  expect(excerptLines(text, 3).map((line) => line.failing)).toEqual([false, false, true]);
  expect(excerptLines("just words", null)).toEqual([
    { number: null, text: "just words", failing: false },
  ]);
});
