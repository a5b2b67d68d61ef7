import { expect, test } from "vitest";
import {
  absolute,
  compact,
  days,
  exact,
  freshFor,
  fromInput,
  minute,
  relative,
  utc,
  zoned,
} from "./time.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");

test.each([
  ["2026-11-21T11:59:58Z", "now"],
  ["2026-11-21T11:59:20Z", "40 s ago"],
  ["2026-11-21T11:57:10Z", "2 m ago"],
  ["2026-11-21T09:55:00Z", "2 h 5 m ago"],
  ["2026-11-19T09:55:00Z", "2 d ago"],
  ["2026-11-21T15:12:00Z", "in 3 h 12 m"],
])("%s is %s", (instant, text) => {
  expect(relative(instant, NOW).replaceAll("\u00a0", " ")).toBe(text);
});

test("absolute times are in the reader's zone, and to the second", () => {
  expect(absolute("2026-11-21T12:22:20Z", "Europe/Paris")).toBe("Sat, 21 Nov 2026, 13:22:20");
  expect(utc("2026-11-21T12:22:20.123Z")).toBe("2026-11-21 12:22:20 UTC");
  expect(zoned("2026-11-21T12:22:20Z", "UTC")).toBe("2026-11-21 12:22:20 UTC");
  expect(zoned("2026-03-28T23:00:00Z", "Europe/Berlin")).toBe("2026-03-29 00:00:00 GMT+1");
  expect(zoned("2026-03-29T22:00:00Z", "Europe/Berlin")).toBe("2026-03-30 00:00:00 GMT+2");
});

test("a column shows the date only when it says something", () => {
  expect(compact("2026-11-21T09:05:00Z", NOW, "UTC")).toBe("09:05");
  expect(compact("2026-11-20T23:30:00Z", NOW, "Europe/Paris")).toBe("00:30");
  expect(compact("2026-11-20T21:30:00Z", NOW, "UTC")).toBe("20 Nov 21:30");
  expect(compact("2025-11-20T21:30:00Z", NOW, "UTC")).toBe("20 Nov 2025 21:30");
});

test("a clock wakes as seldom as its text changes", () => {
  expect(freshFor("2026-11-21T11:59:50Z", NOW)).toBe(1000);
  expect(freshFor("2026-11-21T11:00:00Z", NOW)).toBe(15_000);
});

test("what is no time is no time", () => {
  expect(fromInput("")).toBeNull();
  expect(fromInput("2026-11-21T12:00")).toBe(new Date(2026, 10, 21, 12).toISOString());
});

test("a logical date says its year, however long ago", () => {
  expect(minute("2013-01-05T00:00:00Z", "UTC")).toBe("5 Jan 2013 00:00");
});

test("a span of days says each word once", () => {
  expect(days("2026-10-01T06:00:00Z", "2026-10-20T06:00:00Z")).toBe("1 – 20 Oct 2026");
  expect(days("2025-12-28T00:00:00Z", "2026-01-03T00:00:00Z")).toBe("28 Dec 2025 – 3 Jan 2026");
  expect(days("2026-10-01T06:00:00Z", "2026-10-01T09:00:00Z")).toBe("1 Oct 2026");
});

test("a moment among many says its second", () => {
  expect(exact("2026-11-21T09:08:07Z", NOW, "UTC")).toBe("09:08:07");
  expect(exact("2026-11-20T09:08:07Z", NOW, "UTC")).toBe("20 Nov 09:08:07");
});
