import { expect, test } from "vitest";
import { why } from "./why.ts";

const TASKS: Parameters<typeof why>[1] = [
  { task_id: "a", upstream: [], counts: { success: 1 } },
  { task_id: "b", upstream: [], counts: { success: 3, running: 1 } },
  { task_id: "bad", upstream: [], counts: { failed: 1 } },
  { task_id: "c", upstream: ["a", "b"], counts: { waiting: 1 } },
  { task_id: "d", upstream: ["a", "bad"], counts: { upstream_failed: 1 } },
];

const of = (more: object) => ({
  task_id: "c",
  state: "waiting",
  blocked_reason: null,
  reason: null,
  history: [],
  ...more,
});

test("who waits says for what", () => {
  expect(why(of({}), TASKS)).toEqual({
    text: "Waits for b (running)",
    holds: { kind: "task", task_id: "b" },
  });
});

test("what is blocked leads to what blocks it", () => {
  const full = of({ state: "ready", blocked_reason: "pool `db` is full: 3 of 3 slots in use" });
  expect(why(full, TASKS)).toMatchObject({ holds: { kind: "slots" } });
  const paused = of({ state: "ready", blocked_reason: "DAG paused by ann" });
  expect(why(paused, TASKS)).toMatchObject({ holds: { kind: "dag" } });
  const failed = of({ task_id: "d", state: "upstream_failed", reason: "`bad` failed" });
  expect(why(failed, TASKS)?.holds).toEqual({ kind: "task", task_id: "bad" });
  const leftOut = of({ task_id: "d", state: "skipped", reason: "`a` chose keep" });
  expect(why(leftOut, TASKS)).toEqual({
    text: "`a` chose keep",
    holds: { kind: "task", task_id: "a" },
  });
});

test("what failed says its last error", () => {
  const history = [{ cause: "exception", detail: "Traceback…\nValueError: no date" }];
  expect(why(of({ state: "failed", history }), TASKS)?.text).toBe("ValueError: no date");
  expect(
    why(of({ state: "failed", history: [{ cause: "timeout", detail: null }] }), TASKS)?.text,
  ).toBe("timeout");
});

test("what went well needs no reason, unless a person gave it", () => {
  expect(why(of({ state: "success", reason: "exit code 0" }), TASKS)).toBeNull();
  expect(why(of({ state: "success", reason: "marked by ann" }), TASKS)?.text).toBe("marked by ann");
});
