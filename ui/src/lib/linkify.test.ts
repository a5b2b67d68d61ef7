import { expect, test } from "vitest";
import { linkified } from "./linkify.ts";

test("an address within a sentence", () => {
  expect(linkified("see https://example.org/a?b=c, then go")).toEqual([
    { text: "see " },
    { text: "https://example.org/a?b=c", href: "https://example.org/a?b=c" },
    { text: ", then go" },
  ]);
});

test("brackets around it are not part of it, brackets in it are", () => {
  expect(linkified("(http://a.b/c)")[1]).toMatchObject({ text: "http://a.b/c" });
  expect(linkified("http://a.b/c_(d)")[0]).toMatchObject({ text: "http://a.b/c_(d)" });
});

test.each(["javascript:alert(1)", "data:text/html,x", "ftp://a.b", "https://", "plain", ""])(
  "%s stays text",
  (text) => {
    expect(linkified(text)).toEqual(text ? [{ text }] : []);
  },
);
