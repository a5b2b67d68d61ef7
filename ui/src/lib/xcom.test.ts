import { expect, test } from "vitest";
import { brief, shown } from "./xcom.ts";

const tagged = (kind: string, value: unknown, more = {}) => ({ __headway__: kind, value, ...more });

test.each([
  [null, "None"],
  [true, "True"],
  [3.5, "3.5"],
  ['a"b', '"a\\"b"'],
  [[1, "x", []], '[1, "x", []]'],
  [{ rows: 3, by: { a: 1 } }, "{rows: 3, by: {a: 1}}"],
  [tagged("int", "0x8000000000000000"), "0x8000000000000000"],
  [tagged("float", "nan"), "nan"],
  [tagged("decimal", "1.10"), "1.10"],
  [
    tagged("datetime", "2026-11-21T12:00:00", { zone: "Europe/Paris" }),
    "2026-11-21T12:00:00 Europe/Paris",
  ],
  [tagged("timedelta", [1, 3_725, 500]), "1d 01:02:05.000500"],
  [tagged("bytes", "aGVsbG8="), "5 bytes"],
  [tagged("path", "/tmp/x"), '"/tmp/x"'],
  [tagged("tuple", [1, 2]), "(1, 2)"],
  [tagged("set", ["a"]), '{"a"}'],
  [
    tagged("dict", [
      [1, "one"],
      [tagged("tuple", [1]), 2],
    ]),
    '{1: "one", (1): 2}',
  ],
  [tagged("dataclass", { n: 1 }, { class: "jobs:Row" }), "Row(n: 1)"],
  [tagged("namedtuple", [1], { class: "jobs:Outer.Pair" }), "Outer.Pair(1)"],
  [tagged("enum", "red", { class: "jobs:Colour" }), 'Colour: "red"'],
])("%j reads %s", (value, text) => {
  expect(brief(shown(value))).toBe(text);
});

test("a forged or unknown tag is shown as the object it is", () => {
  expect(brief(shown(tagged("script", "<b>")))).toBe('{__headway__: "script", value: "<b>"}');
  expect(brief(shown(tagged("timedelta", "x")))).toContain("__headway__");
  expect(brief(shown(tagged("constructor", [])))).toContain("__headway__");
});

test("what is long or deep is cut", () => {
  expect(brief(shown("x".repeat(1_000)), 20)).toHaveLength(20);
  expect(brief(shown(Array(10_000).fill(1)), 20)).toHaveLength(20);
  let deep: unknown = 1;
  for (let at = 0; at < 5_000; at += 1) deep = [deep];
  expect(() => brief(shown(deep))).not.toThrow();
});
