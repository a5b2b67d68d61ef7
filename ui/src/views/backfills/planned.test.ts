import { expect, test } from "vitest";
import { leftOut, startedOf, summaryOf } from "./planned.ts";

const run = (action: "create" | "again" | "leave", state: string | null = null) => ({
  logical_date: "2026-09-01T06:00:00Z",
  run_id: null,
  action,
  state,
});

test("what starts is counted without what is left out", () => {
  const runs = [run("create"), run("create"), run("again", "failed"), run("leave", "success")];
  expect(startedOf({ runs })).toBe(3);
  expect(summaryOf({ runs })).toBe("2 new runs, 1 run again, 1 date left out");
});

test("what is left out says why", () => {
  expect(leftOut({})).toBeNull();
  expect(leftOut({ success: 2, running: 1 })).toBe(
    "3 dates left out, with a run already: 2 success, 1 running",
  );
});
