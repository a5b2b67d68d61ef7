import { expect, test } from "vitest";
import { niceSteps } from "./durationAxis.ts";

test("round marks that reach beyond the longest", () => {
  expect(niceSteps(1500, 4)).toEqual([0, 600, 1200, 1800]);
  expect(niceSteps(3, 4)).toEqual([0, 1, 2, 3]);
  for (const most of [0.01, 7, 61, 4000, 1e6, 1e8]) {
    const steps = niceSteps(most, 4);
    expect(steps.at(-1)).toBeGreaterThanOrEqual(most);
    expect(steps.length).toBeLessThanOrEqual(5);
  }
});
