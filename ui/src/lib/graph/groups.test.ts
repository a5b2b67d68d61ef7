import { expect, test } from "vitest";
import { groupsOf } from "./groups.ts";

test("a group brings the groups around it, outer before inner, each once", () => {
  expect(groupsOf([{ group: "a.b" }, { group: null }, { group: "a" }, { group: "a.c" }])).toEqual([
    { group_id: "a", label: "a", parent: null },
    { group_id: "a.b", label: "b", parent: "a" },
    { group_id: "a.c", label: "c", parent: "a" },
  ]);
});

test("a group has the tooltip that its author wrote", () => {
  const [outer, inner] = groupsOf([{ group: "a.b" }], [{ path: "a.b", tooltip: "Both halves" }]);
  expect([outer?.tooltip, inner?.tooltip]).toEqual([undefined, "Both halves"]);
});

test("a group that is mapped as a whole says so, and what is around it does not", () => {
  const found = groupsOf([{ group: "a.b" }], [], new Set(["a.b"]));
  expect(found.map(({ mapped }) => mapped)).toEqual([undefined, true]);
});
