import { expect, test } from "vitest";
import { safeNext } from "./next.ts";

test("only a page of ours", () => {
  expect(safeNext("/t/default/runs?state=failed")).toBe("/t/default/runs?state=failed");
  for (const bad of [
    "//evil.example",
    "/\\evil.example",
    "https://evil.example",
    "/login",
    "",
    undefined,
  ]) {
    expect(safeNext(bad)).toBe("/");
  }
});
