import { expect, test } from "vitest";
import { columnsOf, pathOf, routed } from "./route.ts";

const COLUMNS = columnsOf([
  { x: 50, width: 100 },
  { x: 50, width: 100 },
  { x: 250, width: 100 },
]);
const line = (from: string, y1: number, y2: number, to = `${from}${y2}`) => ({
  from,
  to,
  points: [
    { x: 100, y: y1 },
    { x: 200, y: y2 },
  ],
});

test("columns are where the boxes stand", () => {
  expect(COLUMNS).toEqual([
    { left: 0, right: 100 },
    { left: 200, right: 300 },
  ]);
});

test("an arrow turns twice between two columns, at right angles", () => {
  const [corners] = routed([line("a", 0, 40)], COLUMNS);
  expect(corners).toEqual([
    { x: 100, y: 0 },
    { x: 150, y: 0 },
    { x: 150, y: 40 },
    { x: 200, y: 40 },
  ]);
});

test("an arrow on one height is one line", () => {
  expect(routed([line("a", 7, 7)], COLUMNS)[0]).toHaveLength(2);
});

test("arrows of one source share a track, those of two do not where they would overlap", () => {
  const [one, two, other] = routed(
    [line("a", 0, 40), line("a", 0, 80), line("b", 20, 60)],
    COLUMNS,
  );
  expect(one?.[1]?.x).toBe(two?.[1]?.x);
  expect(other?.[1]?.x).not.toBe(one?.[1]?.x);
});

test("arrows that meet share a track as well", () => {
  const [one, two] = routed([line("a", 0, 90, "z"), line("b", 20, 90, "z")], COLUMNS);
  expect(one?.[1]?.x).toBe(two?.[1]?.x);
});

test("arrows which go down side by side do not cross", () => {
  const [upper, lower] = routed([line("a", 0, 40), line("b", 20, 60)], COLUMNS);
  expect(upper?.[1]?.x).toBeGreaterThan(lower?.[1]?.x as number);
});

test("a path with round corners starts and ends where the corners do", () => {
  const path = pathOf([
    { x: 0, y: 0 },
    { x: 10, y: 0 },
    { x: 10, y: 20 },
  ]);
  expect(path).toBe("M0 0L5 0Q10 0 10 5L10 20");
  expect(pathOf([])).toBe("");
});
