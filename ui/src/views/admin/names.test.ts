import { expect, test } from "vitest";
import { wrongName } from "./names.ts";

test("a name is never a path", () => {
  for (const good of ["", "warehouse", "my-api.v2", " _a "]) expect(wrongName(good)).toBe(null);
  for (const bad of ["../up", "a/b", ".", "-a", "a b", "é"])
    expect(wrongName(bad)).toContain("letters");
});
