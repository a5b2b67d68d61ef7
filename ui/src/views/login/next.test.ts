import { expect, test } from "vitest";
import { safeNext } from "./next.ts";

test("only a page of ours", () => {
  expect(safeNext("/t/default/runs?state=failed")).toBe("/t/default/runs?state=failed");
  expect(safeNext("/t/default/dags/a%2Fb?q=%3Cb%3E#x")).toBe("/t/default/dags/a%2Fb?q=%3Cb%3E#x");
  for (const bad of [
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "/\n\\evil.example",
    "/.//evil.example",
    "/x/..//evil.example",
    "/./login?next=//evil.example",
    "https://evil.example",
    "javascript:alert(1)",
    "//[",
    "/login",
    "",
    undefined,
  ]) {
    expect(safeNext(bad)).toBe("/");
  }
});
