import { expect, test } from "vitest";
import { waitedBy } from "./waits.ts";

test("sums by what was waited for, the longest first; work and upstream are no waiting", () => {
  expect(
    waitedBy([
      { wait: null, seconds: 100 },
      { wait: "upstream", seconds: 900 },
      { wait: "start", seconds: 1 },
      { wait: "pool", seconds: 3 },
      { wait: "pool", seconds: 4 },
      { wait: "agent", seconds: 0 },
    ]),
  ).toEqual([
    { wait: "pool", seconds: 7 },
    { wait: "start", seconds: 1 },
  ]);
});
