import { expect, test } from "vitest";
import { type GraphTask, pictureOf } from "./collapse.ts";
import { BOX, laidOut } from "./layout.ts";
import { overlaps } from "./viewport.ts";

/** A graph that looks like a day's work: a few wide layers, some arrows that skip layers. */
function graphOf(count: number, group: (at: number) => string | null): GraphTask[] {
  let seed = 7;
  const dice = (sides: number) => {
    seed = (seed * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return Math.floor((seed / 4_294_967_296) * sides);
  };
  return Array.from({ length: count }, (_, at) => {
    const upstream = new Set<string>();
    if (at > 0)
      for (let n = dice(2); n >= 0; n -= 1) upstream.add(`t${Math.max(0, at - 1 - dice(25))}`);
    return { task_id: `t${at}`, label: `t${at}`, group: group(at), upstream: [...upstream] };
  });
}

test("no two boxes lie on each other, and arrows lead to the right", () => {
  const picture = pictureOf(
    graphOf(120, () => null),
    [],
    new Set(),
  );
  const { boxes, arrows } = laidOut(picture);
  const place = new Map(boxes.map((box) => [box.id, box]));
  boxes.forEach((box, at) => {
    for (const other of boxes.slice(at + 1)) expect(overlaps(box, other)).toBe(false);
  });
  for (const arrow of arrows)
    expect(place.get(arrow.from)?.x as number).toBeLessThan(place.get(arrow.to)?.x as number);
});

test("a frame holds its boxes, and a box has the same name as a frame without harm", () => {
  const tasks = graphOf(20, (at) => (at > 4 && at < 12 ? "t3" : null));
  const groups = [{ group_id: "t3", label: "t3", parent: null }];
  const { boxes, frames, arrows } = laidOut(pictureOf(tasks, groups, new Set(["t3"])));
  const [frame] = frames;
  for (const box of boxes)
    if (tasks.find((task) => task.task_id === box.id)?.group === "t3")
      expect(overlaps(box, frame as (typeof frames)[0])).toBe(true);
  expect(boxes).toHaveLength(20);
  expect(boxes.every((box) => box.width === BOX.width)).toBe(true);
  expect(arrows.every((arrow) => arrow.path.startsWith("M"))).toBe(true);
});

test("a frame within a frame leaves room for both names", () => {
  const tasks = graphOf(6, (at) => (at > 1 ? "a.b" : null));
  const groups = [
    { group_id: "a", label: "a", parent: null },
    { group_id: "a.b", label: "b", parent: "a" },
  ];
  const { frames } = laidOut(pictureOf(tasks, groups, new Set(["a", "a.b"])));
  const [outer, inner] = frames as [(typeof frames)[0], (typeof frames)[0]];
  expect(inner.y - outer.y).toBeGreaterThanOrEqual(16);
  expect(outer.y + outer.height).toBeGreaterThanOrEqual(inner.y + inner.height);
});

test("nothing is laid out as nothing", () => {
  expect(laidOut({ boxes: [], arrows: [], frames: [] })).toMatchObject({ width: 0, height: 0 });
});

test.each(["constructor", "__proto__", "toString"])("a frame may be called %s", (name) => {
  const tasks = graphOf(4, (at) => (at > 1 ? name : null));
  const groups = [{ group_id: name, label: name, parent: null }];
  const { frames, boxes } = laidOut(pictureOf(tasks, groups, new Set([name])));
  expect(frames.map((frame) => frame.id)).toEqual([name]);
  expect(frames[0]?.width).toBeGreaterThan(BOX.width);
  expect(boxes).toHaveLength(4);
});
