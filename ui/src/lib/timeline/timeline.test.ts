import { expect, test } from "vitest";
import { columns, type Part, peak, topOf } from "./load.ts";
import { dagRows, ghostPlaced, placed, runPlaced } from "./rows.ts";
import { spanMs, spanNamed } from "./spans.ts";

const scale = { from: 0, to: 100_000, width: 1000 };
const at = (seconds: number) => new Date(seconds * 1000).toISOString();
const run = (dag_id: string, from: number, to: number | null) => ({
  run_id: `${dag_id} ${from}`,
  dag_id,
  state: to === null ? "running" : "success",
  started_at: at(from),
  ended_at: to === null ? null : at(to),
});
const part = (seconds: number, used: number, predicted = false): Part => ({
  at: at(seconds),
  used,
  predicted,
});

test("a DAG that only will run has its row, and rows stand by name", () => {
  const rows = dagRows(
    [run("b", 1, 2), run("a", 3, 4), run("b", 5, 6)],
    [{ dag_id: "c", at: at(50), expected_s: 10 }],
  );
  expect(rows.map(({ dag, runs, ghosts }) => [dag, runs.length, ghosts.length])).toEqual([
    ["a", 1, 0],
    ["b", 2, 0],
    ["c", 0, 1],
  ]);
});

test("a run is cut where the axis ends", () => {
  expect(runPlaced(run("a", -50, 50), scale, 60_000)).toEqual({ x: 0, width: 500 });
  expect(placed(90_000, 200_000, scale)).toEqual({ x: 900, width: 100 });
  expect(placed(-20_000, -10_000, scale)).toBeNull();
  expect(placed(100_001, 200_000, scale)).toBeNull();
});

test("a run that goes on lasts until now", () => {
  expect(runPlaced(run("a", 20, null), scale, 60_000)).toEqual({ x: 200, width: 400 });
});

test("what is too short to be seen is seen, and within the axis", () => {
  expect(ghostPlaced({ dag_id: "a", at: at(10), expected_s: null }, scale)).toEqual({
    x: 100,
    width: 3,
  });
  expect(placed(100_000, 100_000, scale)).toEqual({ x: 997, width: 3 });
});

test("the chart goes as high as the pool, or as what is asked of it", () => {
  expect(topOf(10, [part(0, 4)])).toBeCloseTo(11);
  expect(topOf(10, [part(0, 40)])).toBeCloseTo(44);
  expect(topOf(0, [])).toBeCloseTo(1.1);
});

test("a column for each part that is used, and more than the pool has is told", () => {
  const found = columns([part(0, 0), part(10, 5), part(20, 20)], 10, 300, 220);
  expect(found.map(({ x, width, over }) => [x, width, over])).toEqual([
    [100, 100, false],
    [200, 100, true],
  ]);
  expect(found[1]?.height).toBeCloseTo(200);
  expect(found[0]?.height).toBeCloseTo(50);
  expect(found[0]?.y).toBeCloseTo(170);
});

test("the peak of what was and of what is to come", () => {
  const parts = [part(0, 3), part(10, 5), part(20, 2, true)];
  expect(peak(parts, false)).toEqual({ used: 5, at: at(10) });
  expect(peak(parts, true)).toEqual({ used: 2, at: at(20) });
  expect(peak([part(0, 0)], false)).toBeNull();
});

test("an address that says nothing known is the nearest hours", () => {
  expect([spanNamed("7d"), spanNamed("6h"), spanNamed("a year")]).toEqual([
    "7d",
    undefined,
    undefined,
  ]);
  expect([spanMs("24h"), spanMs(undefined)]).toEqual([86_400_000, 21_600_000]);
});
