import { expect, test } from "vitest";
import { levelOf, levelPattern } from "./level.ts";

test.each([
  ["ERROR could not connect", "error"],
  ["2026-11-21 12:00:00 [CRITICAL] disk full", "error"],
  ['{"level": "error", "msg": "x"}', "error"],
  ["Traceback (most recent call last):", "error"],
  ["psycopg.errors.UndefinedTable: relation does not exist", null],
  ["ValueError: 3 is no date", "error"],
  ["json.decoder.JSONDecodeError: Expecting value", "error"],
  ["WARNING:root:late", "warning"],
  ["time=12:00 level=warn msg=late", "warning"],
  ["INFO no ERROR here", "info"],
  ["DEBUG x", "debug"],
  ["loaded 3 rows without errors", null],
  ["", null],
])("%s", (text, level) => {
  expect(levelOf(text)).toBe(level);
});

test("the pattern for the server finds what is of the level or above it, and little else", () => {
  const errors = new RegExp(levelPattern("error") ?? "");
  expect(errors.test("x ERROR y")).toBe(true);
  expect(errors.test("Traceback (most recent call last):")).toBe(true);
  expect(errors.test("ValueError: x")).toBe(true);
  expect(errors.test("WARNING x")).toBe(false);
  expect(errors.test("3 errors")).toBe(false);
  expect(new RegExp(levelPattern("warning") ?? "").test("WARNING x")).toBe(true);
  expect(new RegExp(levelPattern("info") ?? "").test("INFO x")).toBe(true);
  expect(levelPattern("debug")).toBeNull();
});
