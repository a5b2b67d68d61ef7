import { expect, test } from "vitest";
import { between, duration, took } from "./duration.ts";

test.each([
  [0, "0ms"],
  [0.18, "180ms"],
  [0.9999, "1s"],
  [4.24, "4.2s"],
  [9.99, "10s"],
  [12, "12s"],
  [59.7, "1m"],
  [192, "3m 12s"],
  [3600, "1h"],
  [3661, "1h 1m"],
  [183_600, "2d 3h"],
  [-5, "-5s"],
  [null, "–"],
  [Number.NaN, "–"],
])("%s seconds read %s", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test("what has not ended counts until now, and never backwards", () => {
  const start = "2026-01-01T00:00:00Z";
  const now = Date.parse("2026-01-01T00:01:00Z");
  expect(between(start, null, now)).toBe(60);
  expect(between(start, "2026-01-01T00:00:05Z", now)).toBe(5);
  expect(between("2026-01-01T00:02:00Z", null, now)).toBe(0);
  expect(between(null, null, now)).toBeNull();
});

test("what was too quick to be measured did not take no time", () => {
  expect(took(0)).toBe("<10ms");
  expect(took(0.0099)).toBe("<10ms");
  expect(took(0.01)).toBe("10ms");
  expect(took(null)).toBe("–");
});
