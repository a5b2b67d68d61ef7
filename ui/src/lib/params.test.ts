import { expect, test } from "vitest";
import type { Param } from "@/api/types.ts";
import { bounds, choices, draftOf, labelOf, read, readAll, sections, typed } from "./params.ts";

const param = (type: Param["type"], more: Partial<Param> = {}): Param => ({
  name: "p",
  type,
  ...more,
});

test.each<[Param, string | boolean, unknown]>([
  [param("string"), "a", { value: "a" }],
  [param("string", { default: "x" }), "", { value: "" }],
  [param("string"), "", { absent: true }],
  [param("string", { format: "date" }), "2024-02-29", { value: "2024-02-29" }],
  [param("string", { format: "date", default: "2024-02-29" }), "", { absent: true }],
  [param("string", { required: true }), "", { wrong: "This parameter is required." }],
  [param("integer"), "12", { value: 12 }],
  [param("integer"), "1.5", { wrong: "Enter a whole number." }],
  [param("number"), "x", { wrong: "Enter a number." }],
  [param("number"), " ", { absent: true }],
  [param("boolean"), false, { value: false }],
  [param("array"), "[1, 2]", { value: [1, 2] }],
  [param("array"), "{}", { wrong: "Enter a JSON list: […]" }],
  [param("object"), "[]", { wrong: "Enter a JSON object: {…}" }],
  [param("any"), '"text"', { value: "text" }],
  [param("integer", { enum: [1, 2] }), "2", { value: 2 }],
  [param("string", { enum: ["a"] }), "b", { wrong: "Choose a value from the list." }],
])("%o given %o", (declared, draft, result) => {
  expect(read(declared, draft)).toEqual(result);
});

test("broken JSON says so", () => {
  expect(read(param("object"), "{a}")).toMatchObject({
    wrong: expect.stringMatching(/Invalid JSON/),
  });
});

test("a default is read back as itself", () => {
  for (const declared of [
    param("string", { default: "" }),
    param("integer", { default: 0 }),
    param("boolean", { default: true }),
    param("array", { default: ["a"] }),
    param("any", { default: { a: [1] } }),
  ]) {
    expect(read(declared, draftOf(declared))).toEqual({ value: declared.default });
  }
});

test("what a list offers is a choice, whatever its type", () => {
  expect(typed(param("string", { enum: ["a"] }))).toBe("choice");
  expect(typed(param("any"))).toBe("json");
  expect(typed(param("string", { format: "date" }))).toBe("date");
  expect(typed(param("string", { format: "date-time" }))).toBe("instant");
  expect(typed(param("string"))).toBe("text");
});

test("all fields together", () => {
  const params = [param("integer", { name: "n" }), param("string", { name: "s", required: true })];
  const drafts = new Map([
    ["n", "3"],
    ["s", ""],
  ]);
  expect(readAll(params, drafts)).toEqual({
    values: { n: 3 },
    wrong: new Map([["s", "This parameter is required."]]),
  });
});

test.each(["constructor", "toString", "__proto__"])("a parameter may be called %s", (name) => {
  const params = [param("string", { name, default: "d" }), param("integer", { name: "n" })];
  expect(readAll(params, new Map())).toEqual({ values: {}, wrong: new Map() });
  const { values } = readAll(params, new Map([[name, "given"]]));
  expect(JSON.stringify(values)).toBe(`{"${name}":"given"}`);
});

test("a default that nobody touched is the server's, one that was touched is what it is now", () => {
  const params = [
    param("integer", { name: "n", default: 2 ** 53 }),
    param("boolean", { name: "b" }),
    param("any", { name: "none", default: null }),
  ];
  expect(readAll(params, new Map())).toEqual({ values: { b: false }, wrong: new Map() });
  const { wrong } = readAll(params, new Map([["n", draftOf(params[0] as Param)]]));
  expect(wrong.get("n")).toMatch(/round integers/);
});

test.each([
  ["integer", "9007199254740993"],
  ["number", "-9007199254740993"],
  ["any", '{"a": [1, -9007199254740993]}'],
  ["array", "[100000000000000000000]"],
] as const)("what a browser would round is not sent: %s %s", (type, draft) => {
  expect(read(param(type), draft)).toMatchObject({ wrong: expect.stringMatching(/headway run/) });
});

test("what it would not is", () => {
  expect(read(param("number"), "1e300")).toEqual({ value: 1e300 });
  expect(read(param("integer"), "-9007199254740991")).toEqual({ value: -9007199254740991 });
});

const nullable = (type: string) => ({ schema: { type: [type, "null"] } });

test.each<[Param, string, unknown]>([
  [
    param("integer", { schema: { minimum: 1 } }),
    "0",
    { wrong: "Enter a number that is at least 1." },
  ],
  [param("number", { schema: { exclusiveMaximum: 1 } }), "0.5", { value: 0.5 }],
  [param("integer", { default: 3, ...nullable("integer") }), " ", { value: null }],
  [param("string", { default: "x", ...nullable("string") }), "", { value: null }],
  [param("boolean", nullable("boolean")), "false", { value: false }],
  [param("boolean", nullable("boolean")), "", { value: null }],
  [param("array", { schema: { items: { type: "string" } } }), "a\nb c\n", { value: ["a", "b c"] }],
  [param("array", { schema: { items: { type: "integer" } } }), "[1]", { value: [1] }],
  [param("string", { format: "date-time" }), "soon", { wrong: "Enter a date and a time." }],
])("by its schema: %o given %o", (declared, draft, result) => {
  expect(read(declared, draft)).toEqual(result);
});

test("an instant is shown and read in the zone of the page", () => {
  const at = param("string", { format: "date-time", default: "2026-01-31T05:00:00+00:00" });
  expect(read(at, draftOf(at))).toEqual({ value: "2026-01-31T05:00:00.000Z" });
});

test("kinds of fields follow the schema", () => {
  expect(typed(param("string", { schema: { format: "multiline" } }))).toBe("lines");
  expect(typed(param("string", { schema: { format: "time" } }))).toBe("time");
  expect(typed(param("boolean", nullable("boolean")))).toBe("choice");
  expect(choices(param("string", { enum: ["a", null] }))).toEqual(["a"]);
});

test("values have labels, bounds have words, and sections keep their order", () => {
  const level = param("integer", { enum: [1, 2], values_display: { 1: "low" } });
  expect([labelOf(level, 1), labelOf(level, 2)]).toEqual(["low", "2"]);
  expect(labelOf(level, "constructor")).toBe("constructor");
  expect(bounds(param("integer", { schema: { minimum: 1, maximum: 9 } }))).toBe(
    "at least 1, at most 9",
  );
  const a = param("any", { name: "a", section: "B" });
  const b = param("any", { name: "b" });
  expect(sections([a, b, { ...a, name: "c" }]).map(([name, each]) => [name, each.length])).toEqual([
    ["", 1],
    ["B", 2],
  ]);
});

test("a constant is not asked for, and is sent only where there is no default", () => {
  const only = param("string", { name: "v", schema: { const: "1" } });
  expect(readAll([only], new Map()).values).toEqual({});
  expect(readAll([{ ...only, required: true }], new Map()).values).toEqual({ v: "1" });
});
