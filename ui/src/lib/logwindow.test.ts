import { expect, test } from "vitest";
import { blocksFor, clockOf, isWhole, logLine, occurrences, rangeIn, rowsOf } from "./logwindow.ts";

test("the blocks around what is in sight", () => {
  expect(blocksFor(0, 30, 100)).toEqual([0]);
  expect(blocksFor(480, 510, 10_000)).toEqual([0, 500]);
  expect(blocksFor(9_999_970, 10_000_000, 10_000_000)).toEqual([9_999_500]);
  expect(blocksFor(0, 0, 0)).toEqual([0]);
});

test("a block is read again only while it can grow", () => {
  expect(isWhole(500, false)).toBe(true);
  expect(isWhole(12, false)).toBe(false);
  expect(isWhole(12, true)).toBe(true);
});

test("the agent's stamp is told apart from what the task said", () => {
  expect(logLine("2026-11-20T16:44:06.123Z 2026-01-01 hello")).toEqual({
    at: "2026-11-20T16:44:06.123Z",
    text: "2026-01-01 hello",
  });
  expect(logLine("2026-11-20T16:44:06.123Z ")).toMatchObject({ text: "" });
  expect(logLine("  indented")).toEqual({ at: null, text: "  indented" });
  expect(clockOf("2026-11-20T16:44:06.123Z", "Europe/Paris")).toBe("17:44:06.123");
});

test("rows of a line that wraps", () => {
  expect(rowsOf("", 80)).toBe(1);
  expect(rowsOf("x".repeat(161), 80)).toBe(3);
});

test("lines in a URL", () => {
  expect(rangeIn("12")).toEqual({ first: 12, last: 12 });
  expect(rangeIn("20-12")).toEqual({ first: 12, last: 20 });
  for (const odd of [undefined, "", "0", "x", "1-", "-3", "1e9"]) expect(rangeIn(odd)).toBeNull();
});

test("occurrences in any case", () => {
  expect(occurrences("Error: no error", "error")).toEqual([
    [0, 5],
    [10, 15],
  ]);
  expect(occurrences("aaa", "aa")).toEqual([[0, 2]]);
  expect(occurrences("abc", "")).toEqual([]);
});
