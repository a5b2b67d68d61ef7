import { expect, test } from "vitest";
import { matching } from "./keyboard.ts";

const SHORTCUTS = [{ keys: "/" }, { keys: "g d" }, { keys: "g r" }];

test("one key, a sequence, its beginning, and nothing", () => {
  expect(matching(SHORTCUTS, ["/"])).toEqual({ found: 0, open: false });
  expect(matching(SHORTCUTS, ["g"])).toEqual({ found: -1, open: true });
  expect(matching(SHORTCUTS, ["g", "r"])).toEqual({ found: 2, open: false });
  expect(matching(SHORTCUTS, ["g", "x"])).toEqual({ found: -1, open: false });
});
