import { expect, test } from "vitest";
import { movedBy, zoomedBy, zoomOf, zoomText } from "./zoom.ts";

const whole = { from: 10_000, to: 20_000 };

test("a part is written and read as the milliseconds since the beginning", () => {
  const part = { from: 12_000, to: 14_500 };
  expect(zoomText(part, whole)).toBe("2000-4500");
  expect(zoomOf("2000-4500", whole)).toEqual(part);
});

test("all of it is not written, and what makes no sense is all of it", () => {
  expect(zoomText({ from: 0, to: 90_000 }, whole)).toBeUndefined();
  for (const text of [undefined, "", "a-b", "-5-10", "0-10000", "0-99999"])
    expect(zoomOf(text, whole)).toBeNull();
});

test("a part outside of the run, or backwards, is brought into it", () => {
  expect(zoomOf("9000-99000", whole)).toEqual({ from: 19_000, to: 20_000 });
  const backwards = zoomOf("4000-2000", whole);
  expect(backwards?.from).toBeLessThan(backwards?.to ?? 0);
});

test("nearer keeps the moment where it is", () => {
  expect(zoomedBy(whole, 0.5, 15_000)).toEqual({ from: 12_500, to: 17_500 });
  expect(zoomedBy(whole, 0.5, 10_000)).toEqual({ from: 10_000, to: 15_000 });
});

test("a part moves until the end of the run, and keeps its length", () => {
  const part = { from: 12_000, to: 14_000 };
  expect(movedBy(part, 0.5, whole)).toEqual({ from: 13_000, to: 15_000 });
  expect(movedBy(part, 9, whole)).toEqual({ from: 18_000, to: 20_000 });
  expect(movedBy(part, -9, whole)).toEqual({ from: 10_000, to: 12_000 });
});
