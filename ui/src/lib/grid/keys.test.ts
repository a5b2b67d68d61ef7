import { expect, test } from "vitest";
import { firstFailure, moved } from "./keys.ts";
import { rowsOf } from "./tree.ts";

test("arrows move by one and stop at the edges", () => {
  const at = { row: 0, column: 0 };
  expect(moved(at, "ArrowDown", 3, 2, 10)).toEqual({ row: 1, column: 0 });
  expect(moved(at, "ArrowUp", 3, 2, 10)).toEqual({ row: -1, column: 0 });
  expect(moved(at, "ArrowLeft", 3, 2, 10)).toEqual(at);
  expect(moved(at, "PageDown", 3, 2, 10)).toEqual({ row: 2, column: 0 });
  expect(moved(at, "End", 3, 2, 10)).toEqual({ row: 0, column: 1 });
  expect(moved(at, "x", 3, 2, 10)).toBeNull();
  expect(moved(at, "ArrowDown", 0, 0, 10)).toBeNull();
});

test("the first failure is that of the newest run which has one, upstream first", () => {
  const tasks = ["a", "b", "c"].map((task_id) => ({ task_id, label: task_id, group: null }));
  const rows = rowsOf(tasks, [], new Set());
  const column = (cells: string) => ({ run_id: cells, cells, mapped: {} });
  expect(firstFailure(rows, [column("fss"), column("sff"), column("sss")])).toEqual({
    row: 1,
    column: 1,
  });
  expect(firstFailure(rows, [column("ssu")])).toBeNull();
});
