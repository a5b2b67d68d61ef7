import { expect, test } from "vitest";
import { groupsAround, rowsOf } from "./tree.ts";

const task = (task_id: string, group: string | null = null) => ({
  task_id,
  label: task_id.split(".").at(-1) as string,
  group,
});

const TASKS = [
  task("start"),
  task("load.users.fetch", "load.users"),
  task("between"),
  task("load.users.store", "load.users"),
  task("load.check", "load"),
];
const GROUPS = [
  { group_id: "load", label: "load", parent: null },
  { group_id: "load.users", label: "users", parent: "load" },
];

const drawn = (closed: string[]) =>
  rowsOf(TASKS, GROUPS, new Set(closed)).map((row) => `${"  ".repeat(row.depth)}${row.label}`);

test("a group stands where its first task stands and holds the others together", () => {
  expect(drawn([])).toEqual([
    "start",
    "load",
    "  users",
    "    fetch",
    "    store",
    "  check",
    "between",
  ]);
});

test("a closed group hides what is below it, and still knows all of its tasks", () => {
  expect(drawn(["load.users"])).toEqual(["start", "load", "  users", "  check", "between"]);
  const [, load] = rowsOf(TASKS, GROUPS, new Set(["load"]));
  expect(load).toMatchObject({ kind: "group", open: false, tasks: [1, 3, 4] });
});

test("rows keep the index of their task, whatever stands between", () => {
  const rows = rowsOf(TASKS, GROUPS, new Set());
  for (const row of rows) if (row.kind === "task") expect(TASKS[row.index]?.task_id).toBe(row.id);
});

test("a task of a group nobody declared stands at the top", () => {
  expect(rowsOf([task("a", "lost")], [], new Set())).toEqual([
    { kind: "task", id: "a", label: "a", depth: 0, index: 0 },
  ]);
  expect(groupsAround(task("a", "lost"), [])).toEqual([]);
});

test("the groups around a task, outermost first", () => {
  expect(groupsAround(TASKS[1] as (typeof TASKS)[0], GROUPS)).toEqual(["load", "load.users"]);
});
