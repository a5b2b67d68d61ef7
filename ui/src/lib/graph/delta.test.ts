import { expect, test } from "vitest";
import { applied } from "./delta.ts";

const task = (task_id: string, mapped = false) => ({
  task_id,
  mapped,
  counts: { waiting: 1 },
  started_at: null,
  ended_at: null,
  blocked_reason: "upstream: extract",
  reason: "cleared by ann",
  why: { kind: "cleared", by: "ann", live: false } as const,
});
const change = { map_index: -1, started_at: null, ended_at: null, blocked_reason: null, why: null };
const tasks = [task("a"), task("m", true)];
const [started_at, ended_at] = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:03Z"];

test("a change says how its task stands, and for how long it ran", () => {
  const after = applied(tasks, [
    { ...change, task_id: "a", state: "success", started_at, ended_at },
  ]);
  expect(after.stale).toBe(false);
  expect(after.tasks[0]).toMatchObject({
    counts: { success: 1 },
    ended_at,
    duration_s: 3,
    blocked_reason: null,
    reason: null,
    why: null,
  });
  expect(after.tasks[1]).toBe(tasks[1]);
});

test("what runs has no duration yet", () => {
  const started = { ...change, task_id: "a", state: "running", started_at } as const;
  expect(applied(tasks, [started]).tasks[0]).toMatchObject({ duration_s: null, started_at });
});

test.each([
  ["one of many", { task_id: "m", map_index: 3, state: "success" }],
  ["the many as one", { task_id: "m", map_index: -1, state: "waiting" }],
  ["a task nobody knows", { task_id: "new", map_index: -1, state: "success" }],
  ["one that is gone", { task_id: "a", map_index: -1, state: null }],
] as const)("%s asks for the run anew, and changes nothing", (_, what) => {
  expect(applied(tasks, [{ ...change, ...what }])).toEqual({ tasks, stale: true });
});
