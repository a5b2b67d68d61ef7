import { expect, test } from "vitest";
import type { RunBrief } from "@/api/types.ts";
import { runbookIn, standing } from "./standing.ts";

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 5, minute)).toISOString();

function brief(state: RunBrief["state"], start: number, end: number | null): RunBrief {
  return {
    run_id: `r${start}`,
    state,
    logical_date: at(start),
    started_at: at(start),
    ended_at: end === null ? null : at(end),
    trigger: "schedule",
    failed_instances: 0,
    partition: null,
  };
}

test("without a run there is nothing to be ready", () => {
  expect(standing([])).toEqual({ is: "never" });
});

test("a success is ready, whatever was before", () => {
  const runs = [brief("failed", 0, 1), brief("success", 2, 3)];
  expect(standing(runs)).toEqual({ is: "ready", newest: runs[1] });
});

test("a run that works is expected when the median of the good ones says", () => {
  const runs = [
    brief("success", 0, 2),
    brief("success", 5, 9),
    brief("success", 10, 13),
    brief("failed", 20, 50),
    brief("running", 55, null),
  ];
  expect(standing(runs)).toMatchObject({
    is: "coming",
    expected: Date.parse(at(58)),
    good: runs[2],
  });
});

test("a failure names the last good run, if there is one", () => {
  const runs = [brief("success", 0, 2), brief("failed", 5, 9)];
  expect(standing(runs)).toEqual({ is: "missing", newest: runs[1], good: runs[0] });
  expect(standing(runs.slice(1))).toEqual({ is: "missing", newest: runs[1] });
});

test("a runbook is found by its name, and only as an address of the web", () => {
  expect(runbookIn("See the [Runbook of x](https://wiki/x).")).toBe("https://wiki/x");
  expect(runbookIn("Runbook: https://wiki/y")).toBe("https://wiki/y");
  expect(runbookIn("[runbook](javascript:alert(1))")).toBeUndefined();
  expect(runbookIn(undefined)).toBeUndefined();
});
