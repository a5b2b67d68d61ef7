import { expect, test } from "vitest";
import { type GraphTask, pictureOf } from "./collapse.ts";
import { layered } from "./layered.ts";
import { overlaps } from "./viewport.ts";

/** Layers of tasks, each below two of the layer before. */
function tasks(count: number, width: number): GraphTask[] {
  return Array.from({ length: count }, (_, at) => {
    const layer = Math.floor(at / width);
    const above = [at * 7 + 3, at * 13 + 5].map((n) => `t${(layer - 1) * width + (n % width)}`);
    const upstream = layer === 0 ? [] : [...new Set(above)];
    return { task_id: `t${at}`, label: `t${at}`, group: null, upstream };
  });
}

test("every arrow points to the right, and no box lies upon another", () => {
  const picture = pictureOf(tasks(300, 20), [], new Set());
  const { boxes } = layered(picture);
  const place = new Map(boxes.map((box) => [box.id, box]));
  expect(boxes).toHaveLength(300);
  for (const { from, to } of picture.arrows)
    expect(place.get(from)?.x).toBeLessThan(place.get(to)?.x ?? 0);
  for (const [at, box] of boxes.entries())
    expect(boxes.slice(at + 1).some((other) => overlaps(box, other))).toBe(false);
});

test("a chain lies on one line", () => {
  const chain = ["a", "b", "c"].map((task_id, at, all) => ({
    task_id,
    label: task_id,
    group: null,
    upstream: at > 0 ? [all[at - 1] as string] : [],
  }));
  const { boxes } = layered(pictureOf(chain, [], new Set()));
  expect(new Set(boxes.map((box) => box.y))).toEqual(new Set([0]));
});

test("two closed groups that depend on each other are both drawn", () => {
  const box = (id: string) => ({
    id,
    kind: "group" as const,
    label: id,
    frame: null,
    tasks: [],
    critical: false,
  });
  const arrow = (from: string, to: string) => ({ from, to, count: 1, critical: false });
  const picture = { boxes: [box("a"), box("b")], arrows: [arrow("a", "b"), arrow("b", "a")] };
  expect(
    layered({ ...picture, frames: [] })
      .boxes.map((one) => one.id)
      .sort(),
  ).toEqual(["a", "b"]);
});

test("two thousand tasks are laid out in a moment", () => {
  const picture = pictureOf(tasks(2_000, 50), [], new Set());
  const began = performance.now();
  layered(picture);
  expect(performance.now() - began).toBeLessThan(2_000);
});
