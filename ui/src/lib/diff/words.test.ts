import { expect, test } from "vitest";
import { sentenceOf } from "./words.ts";

const words = (what: string, path: string, before: unknown = null, after: unknown = null) => {
  const { kind, subject, words } = sentenceOf({ what, path, before, after });
  return `${kind} ${subject}: ${words}`;
};

test("changes as sentences", () => {
  expect(words("task added", "tasks.load.users")).toBe("added load.users: task added");
  expect(words("task removed", "tasks.old")).toBe("removed old: task removed");
  expect(words("task changed", "tasks.load.users.retries", 1, 3)).toBe(
    "changed load.users: retries from 1 to 3",
  );
  expect(words("schedule", "schedule.cron", "0 1 * * *", "0 0 * * *")).toBe(
    "changed schedule: cron from 0 1 * * * to 0 0 * * *",
  );
  expect(words("task changed", "tasks.a.execution_timeout_s", null, 60)).toBe(
    "added a: execution timeout (seconds) is now 60",
  );
  expect(words("params", "params.region", "eu", null)).toBe(
    "removed params: region is gone; it was eu",
  );
});

test("a list says what came and what went", () => {
  expect(words("task changed", "tasks.a.upstream", ["x", "y"], ["y", "z"])).toBe(
    "changed a: upstream gained z and lost x",
  );
  expect(words("tags", "tags", ["a", "b"], ["b", "a"])).toBe("changed tags: tags in another order");
});
