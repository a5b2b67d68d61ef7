import { expect, test } from "vitest";
import { beginningOf, fitted, opening, overlaps, panned, showing, zoomed } from "./viewport.ts";

const drawing = { x: 0, y: 0, width: 4000, height: 1000 };

test("all of it is seen, in the middle, and never larger than life", () => {
  const view = fitted(drawing, 1000, 600);
  expect(4000 * view.scale).toBeLessThanOrEqual(1000);
  expect(view.y + 600 / view.scale / 2).toBeCloseTo(500);
  expect(fitted({ ...drawing, width: 10, height: 10 }, 1000, 600).scale).toBe(1);
});

test("a large drawing opens at its beginning, with words that can be read", () => {
  const view = opening(drawing, 1000, 600);
  expect(view.scale).toBeGreaterThan(0.5);
  expect(view.x).toBeLessThanOrEqual(0);
  const small = { ...drawing, width: 900, height: 600 };
  expect(opening(small, 1000, 600)).toEqual(fitted(small, 1000, 600));
});

test("zooming keeps what is under the pointer", () => {
  const from = { x: 100, y: 50, scale: 1 };
  const view = zoomed(from, 1.5, { x: 200, y: 100 });
  expect(view.x + 200 / view.scale).toBeCloseTo(from.x + 200);
  expect(view.y + 100 / view.scale).toBeCloseTo(from.y + 100);
  expect(zoomed(from, 100, { x: 0, y: 0 }).scale).toBe(2);
});

test("panning moves by what the hand moved", () => {
  expect(panned({ x: 0, y: 0, scale: 0.5 }, 10, -20)).toEqual({ x: -20, y: 40, scale: 0.5 });
});

test("a box is brought into view by the shortest way, and left alone when it is seen", () => {
  const view = { x: 0, y: 0, scale: 1 };
  const box = { x: 2000, y: 100, width: 100, height: 30 };
  const moved = showing(view, box, 800, 600);
  expect(moved.y).toBe(0);
  expect(overlaps(box, { x: moved.x, y: moved.y, width: 800, height: 600 })).toBe(true);
  expect(showing(moved, box, 800, 600)).toEqual(moved);
});

test("a graph opens where it begins: at the left, in the middle of it", () => {
  const box = (x: number, y: number) => ({ x, y, width: 10, height: 10 });
  const boxes = [box(50, 45), box(0, 0), box(0, 40), box(0, 90)];
  const drawing = { x: 0, y: 0, width: 60, height: 100 };
  expect(beginningOf({ ...drawing, boxes })).toBe(boxes[2]);
  const nothing = { ...drawing, boxes: [] };
  expect(beginningOf(nothing)).toBe(nothing);
});
