import { expect, test } from "vitest";
import { pictureOf } from "./collapse.ts";
import { depths, folded, openAtFirst } from "./fold.ts";

const task = (task_id: string, upstream: string[] = []) => ({
  task_id,
  label: task_id,
  group: null,
  upstream,
});
const TABLES = Array.from({ length: 250 }, (_, at) => [
  task(`extract_${at}`, ["start"]),
  task(`load_${at}`, [`extract_${at}`]),
]).flat();
const MANY = [
  task("start"),
  ...TABLES,
  task(
    "report",
    TABLES.map((one) => one.task_id),
  ),
];

test("five hundred flat tasks are four boxes and three arrows", () => {
  const { tasks, groups } = folded(MANY, []);
  const { boxes, arrows } = pictureOf(tasks, groups, openAtFirst(tasks, groups));
  expect(boxes.map((box) => `${box.label} ${box.tasks.length}`)).toEqual([
    "start 1",
    "extract… 250",
    "load… 250",
    "report 1",
  ]);
  expect(arrows).toHaveLength(4);
});

test("folding makes no circle: every arrow leads deeper", () => {
  const chain = Array.from({ length: 90 }, (_, at) =>
    task(`step_${at}`, at > 2 ? [`step_${at - 3}`] : []),
  );
  const { tasks, groups } = folded(chain, []);
  const { boxes, arrows } = pictureOf(tasks, groups, new Set());
  const depth = depths(chain);
  const deep = new Map(boxes.map((box) => [box.id, depth.get(box.tasks[0] as string) as number]));
  expect(boxes.length).toBe(30);
  for (const arrow of arrows)
    expect(deep.get(arrow.to) as number).toBeGreaterThan(deep.get(arrow.from) as number);
});

test("a small graph is left as it is, and open", () => {
  const few = MANY.slice(0, 20);
  expect(folded(few, [])).toEqual({ tasks: few, groups: [] });
  const group = { group_id: "g", label: "g", parent: null };
  expect(openAtFirst(few, [group])).toEqual(new Set(["g"]));
});
