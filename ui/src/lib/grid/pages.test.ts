import { expect, test } from "vitest";
import { whole } from "./pages.ts";

const tasks = (...ids: string[]) =>
  ids.map((task_id) => ({ task_id, label: task_id, group: null }));
const run = (run_id: string, cells: string, mapped = {}) => ({ run_id, cells, mapped });

test("older runs stand left, in the rows of the newest version", () => {
  const grid = whole([
    { tasks: tasks("a", "b", "c"), groups: [], runs: [run("3", "sfs")] },
    { tasks: tasks("old", "b", "a"), groups: [], runs: [run("1", "kRs", { 1: { running: 2 } })] },
  ]);
  expect(grid.tasks.map((task) => task.task_id)).toEqual(["a", "b", "c", "old"]);
  expect(grid.runs).toEqual([run("1", "sR.k", { 1: { running: 2 } }), run("3", "sfs")]);
});

test("pages of one version keep the very same columns", () => {
  const older = run("1", "ss");
  const page = { tasks: tasks("a", "b"), groups: [] };
  const grid = whole([
    { ...page, runs: [run("2", "sf")] },
    { ...page, runs: [older] },
  ]);
  expect(grid.runs[0]).toBe(older);
  expect(whole([])).toEqual({ tasks: [], groups: [], runs: [] });
});
