import { expect, test } from "vitest";
import {
  daysOf,
  keptAnywhere,
  keptHere,
  runDaysOf,
  toBeRemoved,
  wrongDays,
  wrongRunDays,
  wrongTogether,
} from "./retention.ts";

test("days are whole and at least one; nothing is the default", () => {
  expect(daysOf("30")).toBe(30);
  expect(daysOf(" 7 ")).toBe(7);
  expect(daysOf("  ")).toBe(null);
  for (const text of ["0", "-1", "7.5", "soon", "1e3", "36501"]) {
    expect(daysOf(text), text).toBe(undefined);
    expect(wrongDays(text), text).toMatch(/whole number/);
  }
  expect(wrongDays("")).toBe(null);
});

test("here no longer than anywhere", () => {
  expect(wrongTogether("7", "8")).toMatch(/7 days/);
  for (const [days, local] of [
    ["7", "7"],
    ["", "8"],
    ["7", ""],
    ["x", "8"],
  ] as const) {
    expect(wrongTogether(days, local)).toBe(null);
  }
});

test("for how long, as words", () => {
  expect(keptAnywhere(1)).toBe("for 1 day");
  expect(keptAnywhere(null)).toBe("for as long as the run");
  expect(keptHere(null)).toBe("for as long as they are kept at all");
});

test("runs are kept for a week at least", () => {
  expect(runDaysOf("7")).toBe(7);
  expect(runDaysOf("")).toBe(null);
  for (const text of ["6", "0", "soon"]) {
    expect(runDaysOf(text), text).toBe(undefined);
    expect(wrongRunDays(text), text).toMatch(/7 or more/);
  }
  expect(toBeRemoved(1, 30)).toBe(
    "1 run that ended more than 30 days ago will be deleted within minutes.",
  );
  expect(toBeRemoved(10_000, 30)).toMatch(/^10,000 or more runs that/);
});
