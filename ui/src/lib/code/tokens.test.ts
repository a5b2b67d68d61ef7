import { expect, test } from "vitest";
import { type Language, languageOf, linesOf } from "./tokens.ts";

const kinds = (text: string, language: Language) =>
  linesOf(text, language)
    .flat()
    .filter((token) => token.kind !== "plain")
    .map((token) => `${token.kind}:${token.text}`);
const whole = (text: string, language: Language) =>
  linesOf(text, language)
    .map((line) => line.map((token) => token.text).join(""))
    .join("\n");

test("python", () => {
  expect(kinds('@task(retries=3)\ndef load(x):  # "why"\n    return f"a#{x}"', "python")).toEqual([
    "decorator:@task",
    "number:3",
    "keyword:def",
    "name:load",
    'comment:# "why"',
    "keyword:return",
    'string:f"a#{x}"',
  ]);
});

test("a text over several lines is a string in each", () => {
  const lines = linesOf('x = """one\n\ntwo"""\ny = 1', "python");
  expect(lines.map((line) => line.at(-1)?.kind)).toEqual(["string", undefined, "string", "number"]);
});

test("yaml", () => {
  expect(
    kinds("dag: nightly # daily\ntasks:\n  - id: a\n    retries: 3\n    on: true", "yaml"),
  ).toEqual([
    "name:dag",
    "comment:# daily",
    "name:tasks",
    "name:id",
    "name:retries",
    "number:3",
    "name:on",
    "keyword:true",
  ]);
});

test("no character is lost, whatever the text", () => {
  const odd = `'unclosed\n"""never\n\\ <script>&\t\u{1F600} '''x\n  a: "b\n\n#`;
  for (const language of ["python", "yaml", "text"] as const)
    expect(whole(odd, language)).toBe(odd);
  expect(linesOf("", "python")).toEqual([[]]);
  expect(linesOf("a\n", "python")).toHaveLength(1);
});

test("the language is that of the file's name", () => {
  expect([languageOf("a/b.py"), languageOf("x.yml"), languageOf("README")]).toEqual([
    "python",
    "yaml",
    "text",
  ]);
});

test("a megabyte of one line is read at once", () => {
  const started = performance.now();
  linesOf(`x = "${"a\\".repeat(250_000)}`, "python");
  linesOf(`${"- a b ".repeat(20_000)}`, "yaml");
  linesOf("-".repeat(200_000), "yaml");
  expect(performance.now() - started).toBeLessThan(2_000);
});
