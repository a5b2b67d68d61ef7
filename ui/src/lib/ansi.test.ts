import { expect, test } from "vitest";
import { plain, spans } from "./ansi.ts";

test("text without sequences is one piece", () => {
  expect(spans("loaded 3 rows")).toEqual([{ text: "loaded 3 rows", look: {} }]);
  expect(spans("")).toEqual([]);
});

test("colours have names, and end", () => {
  expect(spans("\x1b[1;31mno\x1b[0m yes \x1b[92mfine")).toEqual([
    { text: "no", look: { bold: true, ink: "red" } },
    { text: " yes ", look: {} },
    { text: "fine", look: { ink: "bright-green" } },
  ]);
});

test("one attribute can end alone", () => {
  expect(spans("\x1b[1;4;44ma\x1b[22mb\x1b[49mc")).toEqual([
    { text: "a", look: { bold: true, underline: true, ground: "blue" } },
    { text: "b", look: { underline: true, ground: "blue" } },
    { text: "c", look: { underline: true } },
  ]);
});

test("256 colours and true colours", () => {
  expect(spans("\x1b[38;5;9ma\x1b[38;5;196mb\x1b[38;5;240mc\x1b[38;2;1;2;255md")).toEqual([
    { text: "a", look: { ink: "bright-red" } },
    { text: "b", look: { ink: "#ff0000" } },
    { text: "c", look: { ink: "#585858" } },
    { text: "d", look: { ink: "#0102ff" } },
  ]);
  expect(spans("\x1b[38;5;999mx\x1b[48;2;300;0;0my")).toEqual([{ text: "xy", look: {} }]);
});

test.each([
  ["a title", "\x1b]0;pwned\x07ok"],
  ["a title ended by ST", "\x1b]2;pwned\x1b\\ok"],
  ["a link", "\x1b]8;;javascript:alert(1)\x07ok\x1b]8;;\x07"],
  ["a clipboard", "\x1b]52;c;cm0gLXJm\x07ok"],
  ["a device string", "\x1bPq#0;2;0;0;0\x1b\\ok"],
  ["moves and erasures", "\x1b[2J\x1b[H\x1b[10;10Ho\x1b[Kk"],
  ["a private mode", "\x1b[?25lok\x1b[?1049h"],
  ["bell and backspace", "o\x07k\x08"],
  ["eight-bit sequences", "\x9b31mok\x9d0;x\x9c"],
  ["a string that is given up", "\x1b]0;x\x1b[31mok"],
  ["a lone escape at the end", "ok\x1b"],
  ["a sequence that is cut off", "ok\x1b[31"],
  ["a string that is cut off", "ok\x1b]0;never ends"],
])("%s leaves nothing behind", (_what, line) => {
  expect(plain(line)).toBe("ok");
  expect(
    spans(line)
      .map((span) => span.text)
      .join(""),
  ).toBe("ok");
});

test("a progress bar shows its last state; a Windows line end is none", () => {
  expect(plain("10 %\r50 %\r100 %")).toBe("100 %");
  expect(plain("ok\r")).toBe("ok");
});

test("markup stays text, tabs stay tabs", () => {
  expect(spans("<script>\t&amp;")).toEqual([{ text: "<script>\t&amp;", look: {} }]);
});

test("a line made of half sequences is read in linear time", () => {
  const started = performance.now();
  spans("\x1b]".repeat(8_000));
  spans("\x1b[;".repeat(8_000));
  expect(performance.now() - started).toBeLessThan(500);
});
