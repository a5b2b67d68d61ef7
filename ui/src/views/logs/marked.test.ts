import { expect, test } from "vitest";
import { grouped } from "./grouped.ts";
import { marked } from "./marked.ts";

test("the match, and what is around it, without the stamp", () => {
  const raw = "2026-11-21T12:22:20.123Z it timed out again";
  const start = raw.indexOf("timed");
  expect(marked(raw, start, start + 9)).toEqual({
    before: "it ",
    match: "timed out",
    after: " again",
  });
});

test("whole characters are counted, and what only a terminal understands is gone", () => {
  const raw = "\u{1f600}\u{1f600} \x1b[31mred\x1b[0m \x1b]0;pwned\x07end";
  const start = Array.from(raw).findIndex((_, at, all) => all.slice(at, at + 3).join("") === "red");
  expect(marked(raw, start, start + 3)).toEqual({
    before: "\u{1f600}\u{1f600} ",
    match: "red",
    after: " end",
  });
});

test("a match within the stamp is shown with it; a long line by what is near the match", () => {
  const raw = "2026-11-21T12:22:20Z x";
  expect(marked(raw, 0, 4)).toEqual({ before: "", match: "2026", after: "-11-21T12:22:20Z x" });
  const long = `${"a".repeat(5000)}needle${"b".repeat(5000)}`;
  const { before, match, after } = marked(long, 5000, 5006);
  expect([before.length, match, after.length]).toEqual([161, "needle", 601]);
});

test("what was found stands by run and by attempt", () => {
  const line = (run_id: string, task_id: string, attempt: number, number: number) => ({
    ...{ run_id, task_id, map_index: -1, attempt, line: number, text: "", start: 0, end: 0 },
  });
  const found = [line("r2", "a", 1, 4), line("r2", "a", 1, 9), line("r2", "a", 2, 1)];
  const runs = grouped([...found, line("r1", "a", 2, 1)]);
  expect(runs.map(({ run, logs }) => [run, logs.map(({ lines }) => lines.length)])).toEqual([
    ["r2", [2, 1]],
    ["r1", [1]],
  ]);
  expect(grouped([])).toEqual([]);
});
