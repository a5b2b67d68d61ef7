import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { InstancesDelta, RunDelta } from "./deltas.ts";
import { Live } from "./live.ts";
import { FakeWorld } from "./streams.fake.ts";

const run = (run_id: string, state: RunDelta["state"] = "running"): RunDelta => ({
  run_id,
  dag_id: "d",
  state,
  version: 1,
  reason: null,
  why: null,
  started_at: null,
  ended_at: null,
  counts: {},
});
const instances: InstancesDelta = { run_id: "r", dag_id: "d", changes: [] };

let world: FakeWorld;
let live: Live;
let queries: QueryClient;
let end: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  world = new FakeWorld();
  live = new Live();
  queries = new QueryClient({ defaultOptions: { queries: { staleTime: 60_000, retry: false } } });
  end = live.follow(queries, world);
  world.source.opens();
  world.source.says("ready", {}, "p1");
});
afterEach(() => {
  end();
  queries.clear();
  vi.useRealTimers();
});

/** A page that shows the answer to `key`; each reading waits for `answers[n]` to be given. */
async function shown(key: readonly unknown[]) {
  const answers: ((data: unknown) => void)[] = [];
  const queryFn = vi.fn(() => new Promise<unknown>((resolve) => answers.push(resolve)));
  const observer = new QueryObserver(queries, { queryKey: key, queryFn });
  const leave = observer.subscribe(() => undefined);
  const answer = async (data: unknown) => {
    answers.at(-1)?.(data);
    await vi.advanceTimersByTimeAsync(0);
  };
  return { reads: queryFn, answer, leave, data: () => observer.getCurrentResult().data };
}

test("a change is put into the answer at once, and what it does not say is read soon, once", async () => {
  const page = await shown(["run", "r"]);
  await page.answer({ run_id: "r", state: "queued", note: "kept" });
  for (let at = 0; at < 5; at += 1) world.source.says("run", run("r"), `p${at}`);
  expect(page.data()).toMatchObject({ state: "running", note: "kept" });
  expect(page.reads).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(500);
  expect(page.reads).toHaveBeenCalledTimes(2);
});

test("an answer that was on its way when the change came is read again after it", async () => {
  const page = await shown(["run-tasks", "r"]);
  world.source.says("task_instance", instances, "p2");
  await vi.advanceTimersByTimeAsync(3_000);
  expect(page.reads).toHaveBeenCalledTimes(1);
  await page.answer([]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(page.reads).toHaveBeenCalledTimes(2);
  await page.answer([]);
  world.source.says("task_instance", instances, "p3");
  await vi.advanceTimersByTimeAsync(3_000);
  expect(page.reads).toHaveBeenCalledTimes(2);
});

test("what was read after the session is not read twice: the stream goes on from there", async () => {
  end();
  live = new Live();
  queries.setQueryData(["session"], { position: "p0" });
  end = live.follow(queries, world);
  expect(world.source.url).toContain("last_event_id=p0");
  const page = await shown(["dags"]);
  await page.answer({});
  world.source.opens();
  world.source.says("ready", {}, "p1");
  await vi.advanceTimersByTimeAsync(3_000);
  expect(page.reads).toHaveBeenCalledTimes(1);
});

test("after a gap all that is shown is read again", async () => {
  const page = await shown(["health"]);
  await page.answer({});
  world.source.says("reset", {}, "p2");
  await vi.advanceTimersByTimeAsync(0);
  expect(page.reads).toHaveBeenCalledTimes(2);
});

test("a first answer that was on its way at a gap is read again after it", async () => {
  const page = await shown(["dags"]);
  world.source.says("reset", {}, "p2");
  await page.answer(["older than the gap"]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(page.reads).toHaveBeenCalledTimes(2);
  await page.answer(["new"]);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(page.reads).toHaveBeenCalledTimes(2);
});

test("a cut that lasts is told, and begins the polling; what was missed comes by itself", async () => {
  const page = await shown(["health"]);
  await page.answer({});
  const told = vi.fn();
  const leave = live.watch(told);
  world.source.fails(true);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(live.liveness).toBe("stale");
  expect(page.reads).toHaveBeenCalledTimes(2);
  world.source.opens();
  expect(live.liveness).toBe("live");
  expect(told).toHaveBeenCalledTimes(2);
  expect(world.source.url).toContain("last_event_id=p1");
  leave();
});

test("two subscribers both hear; one that has left hears nothing, and the scope is the other's", async () => {
  const [one, two] = [vi.fn(() => []), vi.fn(() => [])];
  const leaveOne = live.subscribe({ dag_id: "d", topics: ["run"] }, { run: one });
  const leaveTwo = live.subscribe({ run_id: "r", topics: ["run"] }, { run: two });
  await vi.advanceTimersByTimeAsync(0);
  expect(world.source.url).toBe("/api/v1/stream?run_id=r&topics=run&last_event_id=p1");
  world.source.says("run", run("r"), "p2");
  expect([one, two].map((each) => each.mock.calls.length)).toEqual([1, 1]);
  leaveTwo();
  await vi.advanceTimersByTimeAsync(0);
  expect(world.source.url).toBe("/api/v1/stream?dag_id=d&topics=run&last_event_id=p2");
  world.source.says("run", run("r"), "p3");
  expect([one, two].map((each) => each.mock.calls.length)).toEqual([2, 1]);
  leaveOne();
  await vi.advanceTimersByTimeAsync(0);
  expect(world.source.url).toContain("topics=run%2Cdag%2Cpool");
});

test("a page that makes room for another with the same scope keeps the stream", async () => {
  const leave = live.subscribe({ dag_id: "d", topics: ["run"] });
  await vi.advanceTimersByTimeAsync(0);
  const opened = world.opened.length;
  leave();
  live.subscribe({ dag_id: "d", topics: ["run"] });
  await vi.advanceTimersByTimeAsync(0);
  expect(world.opened).toHaveLength(opened);
});

test("nothing is read once it has ended", async () => {
  const page = await shown(["run", "r"]);
  await page.answer({ run_id: "r", state: "queued" });
  world.source.says("run", run("r"), "p2");
  end();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(page.reads).toHaveBeenCalledTimes(1);
});
