import { expect, test } from "vitest";
import { extraIn } from "./extra.ts";

test.each([
  ["", {}],
  [' {"rows": 7} ', { rows: 7 }],
  ["[1]", null],
  ["null", null],
  ["{", null],
])("%j is read as %j", (text, found) => {
  expect(extraIn(text)).toEqual(found);
});
