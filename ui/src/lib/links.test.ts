import { expect, test } from "vitest";
import { safeHref } from "./links.ts";

test("only http and https are links", () => {
  expect(safeHref("https://example.org/a")).toBe("https://example.org/a");
  for (const bad of ["javascript:alert(1)", "data:text/html,x", " JavaScript:alert(1)", "/x", ""]) {
    expect(safeHref(bad)).toBeNull();
  }
});
