import { expect, test } from "vitest";
import { isLong, opening } from "./opening.ts";

test("long by its lines or by its letters; one line break at the end is no line", () => {
  expect(isLong("")).toBe(false);
  expect(isLong("a\nb\nc\nd\n")).toBe(false);
  expect(isLong("a\nb\nc\nd\ne")).toBe(true);
  expect(isLong("x".repeat(240))).toBe(false);
  expect(isLong("x".repeat(241))).toBe(true);
});

test("the opening is of the first line that says something", () => {
  expect(opening("\n  set -e\nrun\n")).toBe("set -e …");
  expect(opening("x".repeat(500))).toBe(`${"x".repeat(80)} …`);
});
