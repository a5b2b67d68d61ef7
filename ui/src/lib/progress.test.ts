import { expect, test } from "vitest";
import { doneOf, expected } from "./progress.ts";

test("what has ended, of all", () => {
  expect(doneOf({ success: 3, failed: 1, running: 2, waiting: 4 })).toEqual({ done: 4, total: 10 });
  expect(doneOf({})).toEqual({ done: 0, total: 0 });
});

test("when it ends is told only by what is known", () => {
  expect(expected(60, 240)).toBe("about 3\u00a0m left");
  expect(expected(600, 240)).toBe("longer than the last successful run, which took 4\u00a0m");
  expect(expected(60, undefined)).toBeNull();
  expect(expected(null, 240)).toBeNull();
});
