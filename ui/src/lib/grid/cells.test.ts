import { expect, test } from "vitest";
import { countsAt, itemsIn, stack, stateAt, total } from "./cells.ts";
import type { GroupRow, Row } from "./tree.ts";

const column = { run_id: "r", cells: "sfR.k", mapped: { "2": { running: 2, success: 1498 } } };
const task = (index: number): Row => ({ kind: "task", id: "t", label: "t", depth: 0, index });
const group = (tasks: number[]): Row => ({
  kind: "group",
  id: `g${tasks}`,
  label: "g",
  depth: 0,
  open: true,
  tasks,
});

test("a cell is the letter of its task", () => {
  expect([0, 1, 2, 3, 4, 5].map((at) => stateAt(task(at), column))).toEqual([
    "success",
    "failed",
    "running",
    null,
    "skipped",
    null,
  ]);
});

test("a group shows what tells most, and nothing where the run has none of it", () => {
  expect(stateAt(group([0, 1, 2]), column)).toBe("failed");
  expect(stateAt(group([0, 4]), column)).toBe("success");
  expect(stateAt(group([3]), column)).toBeNull();
  expect(stateAt(group([3]), column)).toBeNull();
});

test("counts of the mapped and of groups", () => {
  expect(countsAt(task(2), column)).toEqual({ running: 2, success: 1498 });
  expect(countsAt(task(0), column)).toBeNull();
  expect(countsAt(group([0, 1, 3, 4]), column)).toEqual({ success: 1, failed: 1, skipped: 1 });
  expect(total({ a: 2, b: 3 })).toBe(5);
});

test("a mapped group has as many items as its tasks have instances, where these are known", () => {
  const mapped = { ...group([0, 2]), mapped: true } as GroupRow;
  expect(itemsIn(mapped, column)).toBe(1500);
  expect(itemsIn({ ...mapped, tasks: [0, 1] }, column)).toBeNull();
  expect(itemsIn({ ...mapped, mapped: false }, column)).toBeNull();
});

test("one failure of 1,500 dominates, and the bar has its length", () => {
  const slices = stack(
    [
      ["failed", 1],
      ["running", 3],
      ["success", 1496],
    ],
    14,
  );
  expect(slices.map((slice) => slice.size)).toEqual([7, 2, 5]);
  expect(slices.map((slice) => slice.from)).toEqual([0, 7, 9]);
});

test("more states than pixels never leave the bar", () => {
  const many = Array.from({ length: 11 }, (_, at) => [`s${at}`, 1] as const);
  const slices = stack(many, 14);
  expect(slices.reduce((sum, slice) => sum + slice.size, 0)).toBe(14);
  expect(stack([], 14)).toEqual([]);
});
