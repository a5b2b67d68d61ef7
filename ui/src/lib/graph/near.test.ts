import { expect, test } from "vitest";
import { pictureOf } from "./collapse.ts";
import { near } from "./near.ts";

const task = (task_id: string, ...upstream: string[]) => ({
  task_id,
  label: task_id,
  group: null,
  upstream,
});
const chain = pictureOf(
  [task("a"), task("b", "a"), task("c", "b"), task("d", "c"), task("e", "d"), task("alone")],
  [],
  new Set(),
);
const ids = (found: { picture: { boxes: { id: string }[] } }) =>
  found.picture.boxes.map((box) => box.id);

test("all that hangs together, when there is room for it", () => {
  const found = near(chain, "c");
  expect(ids(found)).toEqual(["a", "b", "c", "d", "e"]);
  expect(found).toMatchObject({ steps: 2, cut: false });
});

test("whole steps only, and it says that there is more", () => {
  const found = near(chain, "c", "both", 4);
  expect(ids(found)).toEqual(["b", "c", "d"]);
  expect(found).toMatchObject({ steps: 1, cut: true });
  expect(found.picture.arrows).toHaveLength(2);
});

test("only what comes before, or after", () => {
  expect(ids(near(chain, "c", "upstream"))).toEqual(["a", "b", "c"]);
  expect(ids(near(chain, "c", "downstream"))).toEqual(["c", "d", "e"]);
});

test("of too many neighbours as many as there is room for", () => {
  const star = pictureOf(
    [task("hub"), ...Array.from({ length: 50 }, (_, at) => task(`t${at}`, "hub"))],
    [],
    new Set(),
  );
  expect(near(star, "hub", "both", 10)).toMatchObject({ steps: 1, cut: true });
  expect(ids(near(star, "hub", "both", 10))).toHaveLength(10);
});
