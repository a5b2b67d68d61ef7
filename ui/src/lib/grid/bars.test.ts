import { expect, test } from "vitest";
import { barHeights, dayLabels, versionChanges } from "./bars.ts";

test("a bar is as high as its run is long", () => {
  expect(barHeights([10, 20, 40], 40).map((bar) => bar.height)).toEqual([10, 20, 40]);
});

test("one run that is far out is cut and leaves the others their height", () => {
  const bars = barHeights([60, 60, 60, 60, 86_400], 40);
  expect(bars[0]).toEqual({ height: 10, cut: false });
  expect(bars[4]).toEqual({ height: 40, cut: true });
});

test("what has not started is a stub", () => {
  expect(barHeights([null, 10], 40)[0]).toEqual({ height: 3, cut: false });
  expect(barHeights([null], 40)[0]).toEqual({ height: 3, cut: false });
  expect(barHeights([0, 0], 40)[0]).toEqual({ height: 3, cut: false });
});

test("a tick where the version changes", () => {
  const run = (version: number) => ({ version, duration_s: 1 });
  expect(versionChanges([run(3), run(3), run(4), run(3)])).toEqual([2, 3]);
  expect(versionChanges([])).toEqual([]);
});

test("days are named once, and not on top of each other", () => {
  const instants = ["20T01", "20T13", "21T01", "22T01", "25T01"].map(
    (at) => `2026-11-${at}:00:00Z`,
  );
  expect(dayLabels(instants, 2, "UTC")).toEqual([
    { at: 0, label: "20 Nov" },
    { at: 2, label: "21 Nov" },
    { at: 4, label: "25 Nov" },
  ]);
});
