import { expect, test } from "vitest";
import { selectionOf } from "./selection.ts";

test("a selection is read from the URL", () => {
  expect(selectionOf({ run: "abc", task: "load", map: 3, try: 2 })).toEqual({
    run: "abc",
    task: "load",
    map: 3,
    try: 2,
  });
});

test("what makes no sense is left out", () => {
  expect(selectionOf({ run: "", task: {}, map: 3, try: 1 })).toEqual({});
  expect(selectionOf({ task: "load", map: "x", try: 0 })).toEqual({ task: "load" });
  expect(selectionOf({ run: 123456 })).toEqual({ run: "123456" });
});

test("an empty run in the URL is none, also when laid over what the URL says", () => {
  const search = { run: "", sort: "wait" };
  expect({ ...search, ...selectionOf(search) }).toEqual({ sort: "wait" });
});
