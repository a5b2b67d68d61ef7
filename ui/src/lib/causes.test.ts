import { expect, test } from "vitest";
import { causesOf, headlineOf } from "./causes.ts";

const DETAIL = [
  "RenderError: cannot render invoice 7",
  "note: the customer is ACME",
  "caused by ValueError: '12,5' in the file in parse, orders.py:31",
  "while handling KeyError: 'amount'",
  "… 3 more",
].join("\n");

test("an error is its first line, and each line below says what it is", () => {
  expect(headlineOf(DETAIL)).toBe("RenderError: cannot render invoice 7");
  expect(causesOf(DETAIL)).toEqual([
    { word: "note:", error: "the customer is ACME", place: null },
    { word: "caused by", error: "ValueError: '12,5' in the file", place: "parse, orders.py:31" },
    { word: "while handling", error: "KeyError: 'amount'", place: null },
    { word: "", error: "… 3 more", place: null },
  ]);
  expect(causesOf("ValueError: no flights")).toEqual([]);
});
