import { expect, test } from "vitest";
import { durationHeat, outcomeHeat } from "./heat.ts";
import { dayIn, daysAfter, dayWords, monthsOf, startOfDay, weeksOf } from "./weeks.ts";

test("weeks begin on Monday and hold the first and the last day", () => {
  const weeks = weeksOf("2026-11-01", "2026-11-30");
  expect(weeks[0]).toEqual(
    [26, 27, 28, 29, 30, 31].map((day) => `2026-10-${day}`).concat("2026-11-01"),
  );
  expect(weeks.at(-1)?.[0]).toBe("2026-11-30");
  expect(weeks.every((week) => week.length === 7)).toBe(true);
});

test("a change of the clocks makes no day twice", () => {
  const days = weeksOf("2026-03-01", "2026-04-30").flat();
  expect(new Set(days).size).toBe(days.length);
  expect(daysAfter("2026-03-28", 2)).toBe("2026-03-30");
});

test("months are named where they begin, with the year once", () => {
  const months = monthsOf(weeksOf("2026-10-01", "2027-02-28"));
  expect(months.map((month) => month.label)).toEqual(["Oct 2026", "Nov", "Dec", "Jan 2027", "Feb"]);
});

test("a day is that of the zone", () => {
  expect(dayIn("2026-11-20T23:30:00Z", "Europe/Paris")).toBe("2026-11-21");
  expect(dayIn("2026-11-20T23:30:00Z", "UTC")).toBe("2026-11-20");
  expect(dayWords("2026-11-21")).toBe("Sat 21 Nov 2026");
});

const day = (counts: Partial<Parameters<typeof outcomeHeat>[0]>) => ({
  day: "2026-11-21",
  success: 0,
  failed: 0,
  running: 0,
  cancelled: 0,
  skipped: 0,
  duration_s: null,
  ...counts,
});

test("one failure among a hundred is still a red day", () => {
  expect(outcomeHeat(day({ success: 99, failed: 1 }))).toEqual({ state: "failed", level: 1 });
  expect(outcomeHeat(day({ failed: 3 }))).toEqual({ state: "failed", level: 4 });
  expect(outcomeHeat(day({ success: 5, running: 1 })).state).toBe("running");
  expect(outcomeHeat(day({ skipped: 2 }))).toEqual({ state: "skipped", level: 2 });
  expect(outcomeHeat(day({ success: 1, skipped: 3 }))).toEqual({ state: "success", level: 1 });
  expect(outcomeHeat(day({}))).toEqual({ state: null, level: 0 });
});

test("durations are beside the longest", () => {
  expect(durationHeat(day({ duration_s: 50 }), 100).level).toBe(2);
  expect(durationHeat(day({}), 100).level).toBe(0);
});

test("a day begins when the zone's clock says so, also where the clocks change", () => {
  expect(startOfDay("2026-11-21", "Europe/Paris")).toBe("2026-11-20T23:00:00.000Z");
  expect(startOfDay("2026-03-29", "Europe/Paris", 1)).toBe("2026-03-29T22:00:00.000Z");
  expect(startOfDay("2026-11-21", "America/New_York")).toBe("2026-11-21T05:00:00.000Z");
  expect(startOfDay("2026-11-21", "UTC", -1)).toBe("2026-11-20T00:00:00.000Z");
});
