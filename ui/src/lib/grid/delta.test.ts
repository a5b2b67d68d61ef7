import { expect, test } from "vitest";
import type { InstanceState } from "../states.ts";
import { changed } from "./delta.ts";

const rows = new Map([
  ["a", 0],
  ["b", 1],
  ["m", 2],
]);
const column = { run_id: "r", cells: "Rww", mapped: {} };
const change = (task_id: string, state: InstanceState, map_index = -1) => ({
  task_id,
  state,
  map_index,
});

test("a change is a letter", () => {
  const after = changed(column, rows, [change("a", "success"), change("b", "running")]);
  expect(after).toEqual({ column: { run_id: "r", cells: "sRw", mapped: {} }, stale: false });
});

test("no change leaves the very same column, so nothing is painted anew", () => {
  expect(changed(column, rows, [change("a", "running")]).column).toBe(column);
});

test("one of many, or a task nobody knows, asks for the run anew", () => {
  expect(changed(column, rows, [change("m", "success", 3)])).toEqual({ column, stale: true });
  expect(changed(column, rows, [change("new", "success")]).stale).toBe(true);
});
