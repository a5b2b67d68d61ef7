import { expect, test } from "vitest";
import { byGroup, worstFirst } from "./tasks.ts";

test("failures stand first, the rest in its order", () => {
  const task = (task_id: string, state: string) => ({ task_id, counts: { [state]: 1 } });
  const tasks = [
    task("a", "success"),
    task("b", "upstream_failed"),
    task("c", "failed"),
    task("d", "running"),
    task("e", "up_for_retry"),
  ];
  expect(worstFirst(tasks).map((each) => each.task_id)).toEqual(["c", "e", "b", "a", "d"]);
});

test("tasks are told by their groups, one alone by its name", () => {
  expect(byGroup(["marts.a", "exports.x", "marts.sub.b", "finish"])).toEqual([
    { name: "marts", tasks: ["marts.a", "marts.sub.b"] },
    { name: "exports.x", tasks: ["exports.x"] },
    { name: "finish", tasks: ["finish"] },
  ]);
});
