import { expect, test } from "vitest";
import { choicesOf, firstHit } from "./choices.ts";

test("what a URL says, and nothing that makes no sense", () => {
  expect(choicesOf({ line: "12-20", q: "x", level: "error", wrap: "true" })).toEqual({
    line: "12-20",
    q: "x",
    level: "error",
    wrap: true,
  });
  expect(choicesOf({ line: "x", q: "", level: "loud", wrap: "no", other: 1 })).toEqual({});
  expect(choicesOf({ line: 7 })).toEqual({ line: "7" });
});

test("a search begins where the URL points, else with the first match", () => {
  const found = [{ line: 4 }, { line: 5 }, { line: 90 }];
  expect(firstHit(found, 1, false)).toBe(0);
  expect(firstHit(found, 5, true)).toBe(1);
  expect(firstHit(found, 91, true)).toBe(-1);
  expect(firstHit(found, 91, false)).toBe(0);
  expect(firstHit([], 1, false)).toBe(-1);
});
