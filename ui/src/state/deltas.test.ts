import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import type { Run, RunTask } from "@/api/types.ts";
import { applyInstances, applyRun, type InstancesDelta, patched, type RunDelta } from "./deltas.ts";

const run = { run_id: "r1", dag_id: "d", state: "queued", note: "kept" } as Run;
const other = { run_id: "r2", dag_id: "d", state: "queued" } as Run;
const listed = { pages: [{ items: [run, other], next_cursor: null }], pageParams: [null] };
const delta: RunDelta = {
  run_id: "r1",
  dag_id: "d",
  state: "running",
  version: 1,
  reason: null,
  why: null,
  started_at: null,
  ended_at: null,
  counts: {},
};

test("a delta changes the run wherever it is shown, and nothing else", () => {
  const client = new QueryClient();
  client.setQueryData(["run", "r1"], run);
  client.setQueryData(["runs", { state: "queued" }], listed);
  client.setQueryData(["runs", {}, "between"], { items: [run], next_cursor: null });
  applyRun(client, delta);
  expect(client.getQueryData(["run", "r1"])).toMatchObject({ state: "running", note: "kept" });
  expect(client.getQueryData(["runs", { state: "queued" }])).toMatchObject({
    pages: [{ items: [{ run_id: "r1", state: "running" }, other] }],
  });
});

test("a delta of a run that is not shown leaves the pages as they are", () => {
  expect(patched(listed, { ...delta, run_id: "r9" })).toBe(listed);
});

const instances = (state: InstancesDelta["changes"][number]["state"]): InstancesDelta => ({
  run_id: "r1",
  dag_id: "d",
  changes: [
    {
      task_id: "a",
      map_index: -1,
      state,
      attempts: 2,
      started_at: null,
      ended_at: null,
      blocked_reason: null,
      why: null,
    },
  ],
});
const task = { task_id: "a", mapped: false, counts: { ready: 1 }, reason: "x" } as Partial<RunTask>;
const tasksOf = (told: ReturnType<typeof applyRun>) =>
  told.find(({ key }) => key[0] === "run-tasks")?.whole;

test("the tasks of a run are read again only for what a delta does not say", () => {
  const client = new QueryClient();
  client.setQueryData(["run-tasks", "r1"], [task]);
  expect(tasksOf(applyInstances(client, instances("running")))).toBe(true);
  expect(client.getQueryData(["run-tasks", "r1"])).toMatchObject([
    { counts: { running: 1 }, reason: null },
  ]);
  expect(tasksOf(applyInstances(client, instances("failed")))).toBe(false);
  expect(tasksOf(applyInstances(client, instances(null)))).toBe(false);
  expect(tasksOf(applyRun(client, delta))).toBe(true);
  expect(tasksOf(applyRun(client, { ...delta, state: "success" }))).toBe(false);
});

test("an instance that is shown gets its state at once, and is read again for the reason", () => {
  const client = new QueryClient();
  client.setQueryData(["instance", "r1", "a", -1], { state: "ready", attempts: 1, history: [] });
  const told = applyInstances(client, instances("running"));
  expect(client.getQueryData(["instance", "r1", "a", -1])).toMatchObject({
    state: "running",
    attempts: 2,
    history: [],
  });
  expect(told).toContainEqual({ key: ["instance", "r1", "a", -1], whole: false });
  const unseen = applyInstances(client, { ...instances("running"), run_id: "r2" });
  expect(unseen.map(({ key }) => key[0])).not.toContain("instance");
});

test("a grid that nobody shows is read before it is shown again", () => {
  const client = new QueryClient();
  client.setQueryData(["grid", "d"], { pages: [], pageParams: [] });
  applyRun(client, delta);
  expect(client.getQueryState(["grid", "d"])?.isInvalidated).toBe(true);
});
