import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Paced } from "./paced.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("what is wanted together is handed on once, soon, and then once a second", () => {
  const handed: (readonly string[][])[] = [];
  const paced = new Paced<string[]>((items) => handed.push(items));
  for (const item of [
    ["run", "a"],
    ["run", "b"],
    ["run", "a"],
  ])
    paced.want(item);
  expect(handed).toEqual([]);
  vi.advanceTimersByTime(500);
  expect(handed).toEqual([
    [
      ["run", "a"],
      ["run", "b"],
    ],
  ]);
  for (let at = 0; at < 20; at += 1) {
    paced.want(["run", "a"]);
    vi.advanceTimersByTime(100);
  }
  expect(handed).toHaveLength(3);
});

test("nothing comes after the end", () => {
  const handOn = vi.fn();
  const paced = new Paced<string>(handOn);
  paced.want("a");
  paced.stop();
  vi.advanceTimersByTime(5_000);
  expect(handOn).not.toHaveBeenCalled();
});
