import { expect, test } from "vitest";
import { columnsOf, headline, totalsOf } from "./activity.ts";

test("the tallest hour fills the height, and nothing is drawn where nothing was", () => {
  const none = { success: 0, failed: 0, cancelled: 0, flawed: 0, skipped: 0 };
  const hours = [
    { ...none, hour: "a", success: 3, failed: 1 },
    { ...none, hour: "b", success: 2, flawed: 1, skipped: 1 },
    { ...none, hour: "c" },
  ];
  const columns = columnsOf(hours);
  expect(columns[0]?.parts).toEqual([
    { state: "success", share: 0.75 },
    { state: "failed", share: 0.25 },
  ]);
  expect(columns[1]?.parts).toEqual([
    { state: "success", share: 0.25 },
    { state: "flawed", share: 0.25 },
    { state: "skipped", share: 0.25 },
  ]);
  expect(columns[2]).toEqual({ hour: "c", counts: [], parts: [] });
  expect(totalsOf(hours)).toEqual([
    ["success", 4],
    ["flawed", 1],
    ["skipped", 1],
    ["failed", 1],
  ]);
});

test("the headline tells the worst first", () => {
  const well = { failing: 0, stuck: 0, late: 0, broken: 0, unhealthy: 0 };
  expect(headline(well)).toBe("Everything is running normally");
  expect(headline({ ...well, stuck: 1 })).toBe("A task cannot run");
  expect(headline({ ...well, failing: 1, broken: 2 })).toBe("1 DAG is failing, 2 broken files");
  expect(headline({ ...well, late: 2, unhealthy: 1 })).toBe(
    "Part of Headway is down, 2 DAGs are late",
  );
});
