import { expect, test } from "vitest";
import { bytes, counted } from "./count.ts";

test("one is one, many are many", () => {
  expect(counted(1, "run")).toBe("1 run");
  expect(counted(1500, "run")).toBe("1,500 runs");
  expect(counted(0, "try", "tries")).toBe("0 tries");
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1200, "1.2 kB"],
  [104_857_600, "105 MB"],
])("%d bytes are %s", (size, text) => {
  expect(bytes(size)).toBe(text);
});
