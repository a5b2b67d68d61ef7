import { expect, test } from "vitest";
import type { Bar, Segment } from "@/api/types.ts";
import { ordered, rowsOf, spanOf, stretchesOf } from "./bars.ts";

const T0 = Date.parse("2026-11-21T00:00:00Z");
const iso = (seconds: number) => new Date(T0 + seconds * 1000).toISOString();
const WAITING = {
  upstream: "upstream",
  ready: "pool",
  queued: "start",
  running: null,
  deferred: "event",
  retry: "retry",
} as const;
const segment = (kind: Segment["kind"], from: number, to: number | null): Segment => ({
  kind,
  reason: null,
  why: null,
  wait: WAITING[kind],
  from: iso(from),
  to: to === null ? null : iso(to),
  attempt: kind === "running" ? 1 : null,
  state: null,
});
const bar = (task_id: string, segments: Segment[], expected_s: number | null = null): Bar => ({
  task_id,
  map_index: -1,
  rendered_map_index: null,
  state: "running",
  attempts: 1,
  segments,
  expected_s,
});
const at = (seconds: number) => T0 + seconds * 1000;

const FIRST = bar("first", [segment("ready", 0, 5), segment("running", 5, 20)]);
const SLOW = bar("slow", [segment("upstream", 0, 20), segment("running", 20, null)], 60);
const HELD = bar("held", [segment("upstream", 0, 20), segment("ready", 20, null)]);
const NEVER = bar("never", []);

test("waiting and working are told apart, upstream is neither", () => {
  const [first, slow, held] = rowsOf([FIRST, SLOW, HELD], at(50));
  expect([first?.waited_s, first?.worked_s]).toEqual([5, 15]);
  expect([slow?.waited_s, slow?.worked_s]).toEqual([0, 30]);
  expect([held?.waited_s, held?.worked_s]).toEqual([30, 0]);
});

test("orders", () => {
  const rows = rowsOf([NEVER, HELD, SLOW, FIRST], at(50));
  const by = (order: "start" | "duration" | "wait") =>
    ordered(rows, order).map((row) => row.bar.task_id);
  expect(by("start")).toEqual(["first", "held", "slow", "never"]);
  expect(by("duration").slice(0, 2)).toEqual(["slow", "first"]);
  expect(by("wait").slice(0, 2)).toEqual(["held", "first"]);
});

test("the span reaches to what is expected of what runs", () => {
  const run = { created_at: iso(0), started_at: iso(0), ended_at: null };
  expect(spanOf([FIRST, SLOW], run, at(50))).toEqual({ from: at(0), to: at(80) });
  expect(spanOf([], run, at(0))).toEqual({ from: at(0), to: at(0.01) });
});

test("a running bar grows to now and its ghost is the rest; late, it has none", () => {
  const scale = { from: at(0), to: at(100), width: 1000 };
  const { stretches, ghost } = stretchesOf(SLOW, scale, at(50));
  expect(stretches.map(({ x, width, wait }) => ({ x, width, wait }))).toEqual([
    { x: 0, width: 200, wait: "upstream" },
    { x: 200, width: 300, wait: null },
  ]);
  expect(ghost).toEqual({ x: 500, width: 300 });
  expect(stretchesOf(SLOW, scale, at(90)).ghost).toBeNull();
});

test("an instant is still seen", () => {
  const flash = bar("flash", [segment("running", 5, 5.0001)]);
  const scale = { from: at(0), to: at(86_400), width: 1000 };
  expect(stretchesOf(flash, scale, at(50)).stretches[0]?.width).toBe(2);
});
