import { expect, test } from "vitest";
import { choicesOf } from "./choices.ts";

test("what a URL says, and nothing that makes no sense", () => {
  expect(choicesOf({ line: "12-20", q: "x", level: "error", wrap: "true" })).toEqual({
    line: "12-20",
    q: "x",
    level: "error",
    wrap: true,
  });
  expect(choicesOf({ line: "x", q: "", level: "loud", wrap: "no", other: 1 })).toEqual({});
  expect(choicesOf({ line: 7 })).toEqual({ line: "7" });
});
