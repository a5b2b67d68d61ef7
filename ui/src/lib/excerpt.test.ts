import { expect, test } from "vitest";
import { excerptLines, sourceOf } from "./excerpt.ts";

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

const STACK = `Traceback (most recent call last):
  File "repaired.py", line 12, in read
    return Path(file).read_text()
  File "/usr/lib/python3.11/pathlib.py", line 1058, in read_text
    with self.open(mode='r') as f:
FileNotFoundError: no such file`;

test("of a stack that goes on below the DAG's file, the line of that file", () => {
  expect(excerptLines(STACK, 12).findIndex((line) => line.failing)).toBe(2);
  expect(excerptLines(STACK, null).findIndex((line) => line.failing)).toBe(2);
});

test("the place in the DAG's file has a name; what is no file of it has none", () => {
  expect(sourceOf(STACK, 12)).toBe("repaired.py:12");
  expect(sourceOf(STACK, null)).toBe("repaired.py:12");
  expect(sourceOf(STACK, 13)).toBeNull();
  expect(sourceOf('  File "<string>", line 1\n  File "/usr/lib/x.py", line 2', null)).toBeNull();
  expect(sourceOf("just words", null)).toBeNull();
});
