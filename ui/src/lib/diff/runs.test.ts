import { expect, test } from "vitest";
import { named, tellingFirst, word } from "./runs.ts";

test("a difference is told in words", () => {
  expect(word("states", { success: 3, upstream_failed: 1 })).toBe("3 success, 1 upstream failed");
  expect(word("states", {})).toBe("none");
  expect([word("task", true), word("task", false)]).toEqual(["exists", "does not exist"]);
  expect(word("duration", 65)).toBe("1\u00a0m\u00a05\u00a0s");
  expect(word("duration", null)).toBe("–");
  expect(word("bundle", "0123456789abcdef")).toBe("0123456789ab");
  expect(word("param size", { a: [1] })).toContain("a");
  expect([named("param size"), named("states"), named("version")]).toEqual([
    "parameter size",
    "ended as",
    "version",
  ]);
});

test("tasks that ended otherwise come before those that only took longer", () => {
  const of = (what: string) => ({ task_id: what, what, before: 1, after: 2 });
  const found = tellingFirst([of("duration"), of("attempts"), of("states"), of("task")]);
  expect(found.map(({ what }) => what)).toEqual(["task", "states", "attempts", "duration"]);
});
