import { expect, test } from "vitest";
import { between, duration, took } from "./duration.ts";

/** As it reads: what stays in one line has spaces that do not break. */
const plain = (text: string) => text.replaceAll("\u00a0", " ");

test.each([
  [0, "0 ms"],
  [0.18, "180 ms"],
  [0.9999, "1 s"],
  [4.24, "4.2 s"],
  [9.99, "10 s"],
  [12, "12 s"],
  [59.7, "1 m"],
  [192, "3 m 12 s"],
  [3600, "1 h"],
  [3661, "1 h 1 m"],
  [183_600, "2 d 3 h"],
  [-5, "-5 s"],
  [null, "–"],
  [Number.NaN, "–"],
])("%s seconds read %s", (seconds, text) => {
  expect(plain(duration(seconds))).toBe(text);
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
  expect(plain(took(0))).toBe("<10 ms");
  expect(plain(took(0.0099))).toBe("<10 ms");
  expect(plain(took(0.01))).toBe("10 ms");
  expect(took(null)).toBe("–");
});
