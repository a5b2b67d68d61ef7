import { expect, test } from "vitest";
import { waitedBy, waitOf } from "./waits.ts";

test("a reason of the scheduler has a kind", () => {
  const ready = (reason: string) => waitOf("ready", reason);
  expect(ready("pool `default` is full: 16 of 16 slots in use")).toBe("pool");
  expect(ready("it needs 4 slots, and pool `small` has 2")).toBe("pool");
  expect(ready("no live agent")).toBe("agent");
  expect(ready("all places of the agents are taken: one, two")).toBe("agent");
  expect(ready("DAG paused by anna")).toBe("paused");
  expect(ready("max_active_tasks: 4 of 4")).toBe("limit");
  expect(ready("the moon")).toBe("other");
  expect(waitOf("ready", null)).toBe("other");
  expect(waitOf("upstream", "pool")).toBe("upstream");
  expect(waitOf("queued", null)).toBe("start");
});

test("sums by kind, the longest first; work and upstream are no waiting", () => {
  expect(
    waitedBy([
      { kind: "running", reason: null, seconds: 100 },
      { kind: "upstream", reason: null, seconds: 900 },
      { kind: "queued", reason: null, seconds: 1 },
      { kind: "ready", reason: "pool `a` is full", seconds: 3 },
      { kind: "ready", reason: "pool `b` is full", seconds: 4 },
    ]),
  ).toEqual([
    { wait: "pool", seconds: 7 },
    { wait: "start", seconds: 1 },
  ]);
});
