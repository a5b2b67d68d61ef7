import { expect, test } from "vitest";
import { pictureOf } from "./collapse.ts";

const TASKS = [
  { task_id: "a", label: "a", group: null, upstream: [], critical: true },
  { task_id: "g.x", label: "x", group: "g", upstream: ["a"], critical: true },
  { task_id: "g.h.y", label: "y", group: "g.h", upstream: ["g.x", "a"] },
  { task_id: "z", label: "z", group: null, upstream: ["g.x", "g.h.y"], critical: true },
];
const GROUPS = [
  { group_id: "g", label: "g", parent: null },
  { group_id: "g.h", label: "h", parent: "g" },
];
const drawn = (open: string[]) => {
  const { boxes, arrows, frames } = pictureOf(TASKS, GROUPS, new Set(open));
  return {
    boxes: boxes.map((box) => box.id),
    arrows: arrows.map((arrow) => `${arrow.from} ${arrow.count} ${arrow.to}`),
    frames: frames.map((frame) => frame.id),
  };
};

test("a closed group is one box, and its arrows are one arrow", () => {
  expect(drawn([])).toEqual({
    boxes: ["a", "group:g", "z"],
    arrows: ["a 2 group:g", "group:g 2 z"],
    frames: [],
  });
});

test("an open group is a frame around what is in it", () => {
  expect(drawn(["g"])).toEqual({
    boxes: ["a", "g.x", "group:g.h", "z"],
    arrows: ["a 1 g.x", "g.x 1 group:g.h", "a 1 group:g.h", "g.x 1 z", "group:g.h 1 z"],
    frames: ["g"],
  });
  expect(drawn(["g", "g.h"]).frames).toEqual(["g", "g.h"]);
});

test("a group inside a closed one stays hidden although it is open itself", () => {
  expect(drawn(["g.h"])).toEqual(drawn([]));
});

test("the critical path goes through a closed group", () => {
  const { arrows, boxes } = pictureOf(TASKS, GROUPS, new Set());
  expect(arrows.every((arrow) => arrow.critical)).toBe(true);
  expect(boxes.map((box) => box.tasks.length)).toEqual([1, 2, 1]);
  const open = pictureOf(TASKS, GROUPS, new Set(["g", "g.h"]));
  expect(open.arrows.find((arrow) => arrow.to === "g.h.y")?.critical).toBe(false);
});
