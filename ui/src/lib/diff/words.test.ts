import { expect, test } from "vitest";
import { sentenceOf } from "./words.ts";

const words = (what: string, path: string, before: unknown = null, after: unknown = null) => {
  const { kind, subject, words } = sentenceOf({ what, path, before, after });
  return `${kind} ${subject}: ${words}`;
};

test("changes of tasks as sentences; a task's id may have dots", () => {
  expect(words("task added", "load.users")).toBe("added load.users: task added");
  expect(words("task removed", "old")).toBe("removed old: task removed");
  expect(words("task changed", "load.users.retries", 1, 3)).toBe(
    "changed load.users: retries from 1 to 3",
  );
  expect(words("task changed", "a.execution_timeout_s", null, 60)).toBe(
    "added a: execution timeout (seconds) set to 60",
  );
  expect(words("task changed", "a.doc", "x".repeat(500), "")).toBe(
    `removed a: doc removed (was ${"x".repeat(119)}…)`,
  );
});

test("changes of the DAG as sentences", () => {
  expect(words("max_active_runs", "max_active_runs", 16, 1)).toBe(
    "changed max active runs: from 16 to 1",
  );
  expect(words("schedule", "schedule", null, { cron: "0 1 * * *" })).toBe(
    'added schedule: set to {"cron":"0 1 * * *"}',
  );
  const berlin = { cron: "0 0 * * *", timezone: "Europe/Berlin" };
  expect(words("schedule", "schedule", { cron: "0 1 * * *" }, berlin)).toBe(
    "changed schedule: cron from 0 1 * * * to 0 0 * * *, timezone set to Europe/Berlin",
  );
});

test("a list says what came, what went, and what is another under its name", () => {
  expect(words("task changed", "a.upstream", ["x", "y"], ["y", "z"])).toBe(
    "changed a: upstream gained z and lost x",
  );
  expect(words("tags", "tags", ["a", "b"], ["b", "a"])).toBe("changed tags: in another order");
  const params = [{ name: "day" }, { name: "size", default: 1 }];
  expect(words("params", "params", params, [{ name: "size", default: 2 }])).toBe(
    "changed params: lost day and changed size",
  );
});
