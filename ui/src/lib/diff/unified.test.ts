import { expect, test } from "vitest";
import { changedLines, hunksOf, pairsOf } from "./unified.ts";

const DIFF = `--- a/dag.py
+++ b/dag.py
@@ -1,3 +1,4 @@
 import x
-retries = 1
+retries = 3
+delay = 5
 end
@@ -20,2 +21,1 @@ def f():
 same
--- looks like a header
\\ No newline at end of file
`;

test("every line has its number on its sides", () => {
  const [first, second] = hunksOf(DIFF);
  expect(first?.lines.map((line) => [line.kind, line.old, line.new])).toEqual([
    ["same", 1, 1],
    ["removed", 2, null],
    ["added", null, 2],
    ["added", null, 3],
    ["same", 3, 4],
  ]);
  expect(second?.skipped).toBe(16);
  expect(second?.lines[1]).toEqual({
    kind: "removed",
    text: "-- looks like a header",
    old: 21,
    new: null,
  });
});

test("side by side, what was removed stands beside what replaced it", () => {
  const pairs = pairsOf(hunksOf(DIFF)[0]?.lines ?? []);
  expect(pairs.map(({ left, right }) => [left?.text ?? null, right?.text ?? null])).toEqual([
    ["import x", "import x"],
    ["retries = 1", "retries = 3"],
    [null, "delay = 5"],
    ["end", "end"],
  ]);
});

test("counts, and nothing of nothing", () => {
  expect(changedLines(hunksOf(DIFF))).toEqual({ added: 2, removed: 2 });
  expect(hunksOf("")).toEqual([]);
});
