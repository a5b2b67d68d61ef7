import { expect, test } from "vitest";
import { fieldsIn } from "./fields.ts";

test.each([
  ["", {}],
  ["rows=data.rows\n\n all = . \n", { rows: "data.rows", all: "." }],
  ["a=b=c", { a: "b=c" }],
  ["rows", null],
  ["=a", null],
  ["a=", null],
])("%j is read as %j", (text, found) => {
  expect(fieldsIn(text)).toEqual(found);
});
