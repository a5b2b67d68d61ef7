import { expect, test } from "vitest";
import { cellsOf, withColumn } from "./column.ts";

const rows = new Map([
  ["a", 0],
  ["b", 1],
  ["m", 2],
]);
const counted = (task_id: string, counts: Record<string, number>, mapped = false) => ({
  task_id,
  mapped,
  counts,
});

test("a letter for each task, the counts of what is mapped, a dot for what the run has not", () => {
  const tasks = [counted("m", { success: 3, running: 1 }, true), counted("a", { success: 1 })];
  expect(cellsOf(tasks, rows)).toEqual({
    cells: "s.R",
    mapped: { 2: { success: 3, running: 1 } },
  });
  expect(cellsOf([counted("m", {}, true)], rows)).toEqual({ cells: "...", mapped: {} });
});

test("a task without a row asks for the grid anew", () => {
  expect(cellsOf([counted("new", { waiting: 1 })], rows)).toBeNull();
});

const run = (run_id: string, day: number) => ({
  run_id,
  logical_date: `2026-01-0${day}T00:00:00Z`,
});
const ids = (runs: readonly { run_id: string }[]) => runs.map((one) => one.run_id);

test("a run stands by its date, and once", () => {
  const runs = [run("a", 2), run("b", 4)];
  expect(ids(withColumn(runs, run("c", 5), true))).toEqual(["a", "b", "c"]);
  expect(ids(withColumn(runs, run("c", 3), true))).toEqual(["a", "c", "b"]);
  expect(ids(withColumn(runs, run("b", 4), true))).toEqual(["a", "b"]);
  expect(ids(withColumn(runs, run("a", 2), true))).toEqual(["a", "b"]);
  expect(ids(withColumn([], run("a", 2), false))).toEqual(["a"]);
});

test("of one date the order is the server's", () => {
  expect(ids(withColumn([run("b", 2)], run("a", 2), false))).toEqual(["b", "a"]);
  expect(ids(withColumn([run("b", 2)], run("c", 2), false))).toEqual(["c", "b"]);
});

test("a run older than what is shown comes with the older ones, if there are any", () => {
  const runs = [run("b", 4)];
  expect(ids(withColumn(runs, run("a", 1), true))).toEqual(["b"]);
  expect(ids(withColumn(runs, run("a", 1), false))).toEqual(["a", "b"]);
});
