import { expect, test } from "vitest";
import { neighbour, related } from "./focus.ts";

const LINKS = [
  { from: "a", to: "b" },
  { from: "b", to: "d" },
  { from: "c", to: "d" },
  { from: "d", to: "e" },
];

test("what it depends on and what depends on it, but not the siblings", () => {
  expect([...related("b", LINKS, "upstream")].sort()).toEqual(["a", "b"]);
  expect([...related("b", LINKS, "downstream")].sort()).toEqual(["b", "d", "e"]);
  expect([...related("b", LINKS, "both")].sort()).toEqual(["a", "b", "d", "e"]);
});

test("a circle of closed groups ends", () => {
  const circle = [...LINKS, { from: "e", to: "a" }];
  expect(related("a", circle, "upstream").size).toBe(5);
});

test("arrow keys follow arrows sideways and columns up and down", () => {
  const boxes = [
    { id: "b", x: 10, y: 0 },
    { id: "c", x: 10, y: 50 },
    { id: "d", x: 90, y: 20 },
  ];
  const [b, c, d] = boxes as [(typeof boxes)[0], (typeof boxes)[0], (typeof boxes)[0]];
  expect(neighbour(b, "ArrowRight", boxes, LINKS)).toBe("d");
  expect(neighbour(d, "ArrowLeft", boxes, LINKS)).toBe("b");
  expect(neighbour(b, "ArrowDown", boxes, LINKS)).toBe("c");
  expect(neighbour(c, "ArrowDown", boxes, LINKS)).toBeNull();
  expect(neighbour(c, "Enter", boxes, LINKS)).toBeNull();
});
