import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Stream } from "./stream.ts";
import { FakeWorld } from "./streams.fake.ts";

const listener = { change: vi.fn(), gap: vi.fn(), became: vi.fn() };
let world: FakeWorld;
let what = "runs";
let stream: Stream;

beforeEach(() => {
  vi.useFakeTimers();
  vi.clearAllMocks();
  what = "runs";
  world = new FakeWorld();
  stream = new Stream((position) => `/${what}?after=${position}`, listener);
  stream.start(world);
  world.source.opens();
  world.source.says("ready", {}, "p1");
});
afterEach(() => {
  stream.stop();
  vi.useRealTimers();
});

test("the first position tells of a gap before it, a later one does not", () => {
  expect(listener.became).toHaveBeenLastCalledWith("live");
  expect(listener.gap).toHaveBeenCalledTimes(1);
  world.source.says("run", { run_id: "r" }, "p2");
  expect(listener.change).toHaveBeenCalledWith("run", { run_id: "r" });
  world.source.says("ready", {}, "p3");
  expect(listener.gap).toHaveBeenCalledTimes(1);
});

test("a reset is a gap, and the next stream goes on where it says", () => {
  world.source.says("reset", {}, "p9");
  expect(listener.gap).toHaveBeenCalledTimes(2);
  world.source.fails(true);
  vi.advanceTimersByTime(1_000);
  expect(world.source.url).toBe("/runs?after=p9");
});

test("a refused stream is tried again ever more slowly, from where it was; then it is live again", () => {
  for (const [at, wait] of [1_000, 2_000, 5_000, 15_000, 15_000].entries()) {
    world.source.fails(true);
    vi.advanceTimersByTime(wait - 1);
    expect(world.opened).toHaveLength(at + 1);
    vi.advanceTimersByTime(1);
    expect(world.opened).toHaveLength(at + 2);
  }
  expect(world.source.url).toBe("/runs?after=p1");
  expect(listener.became).toHaveBeenLastCalledWith("stale");
  world.source.opens();
  expect(listener.became).toHaveBeenLastCalledWith("live");
  expect(listener.gap).toHaveBeenCalledTimes(1);
  world.source.fails(true);
  vi.advanceTimersByTime(1_000);
  expect(world.opened).toHaveLength(7);
});

test("a stream that the browser itself brings back soon is no reason to doubt", () => {
  world.source.fails();
  vi.advanceTimersByTime(3_000);
  world.source.opens();
  vi.advanceTimersByTime(60_000);
  expect(world.opened).toHaveLength(1);
  expect(listener.became).not.toHaveBeenCalledWith("stale");
  world.source.fails();
  vi.advanceTimersByTime(4_000);
  expect(listener.became).toHaveBeenLastCalledWith("stale");
});

test("a tab in the background lets go, and goes on where it was", () => {
  const before = world.source;
  world.look(false);
  expect(before.readyState).toBe(2);
  vi.advanceTimersByTime(60_000);
  expect(world.opened).toHaveLength(1);
  world.look(true);
  expect(world.source.url).toBe("/runs?after=p1");
  expect(listener.became).not.toHaveBeenCalledWith("stale");
});

test("what comes late from a stream that was let go is not heard", async () => {
  const before = world.source;
  what = "tasks";
  stream.again();
  await Promise.resolve();
  expect(world.source.url).toBe("/tasks?after=p1");
  before.says("run", { run_id: "late" }, "p0");
  before.fails(true);
  vi.advanceTimersByTime(60_000);
  expect(listener.change).not.toHaveBeenCalled();
  expect(world.opened).toHaveLength(2);
});

test("what asks for the same again keeps its stream", async () => {
  stream.again();
  await Promise.resolve();
  expect(world.opened).toHaveLength(1);
});

test("nothing is tried after the end", async () => {
  world.source.fails(true);
  stream.stop();
  what = "tasks";
  stream.again();
  world.look(false);
  world.look(true);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(world.opened).toHaveLength(1);
});
