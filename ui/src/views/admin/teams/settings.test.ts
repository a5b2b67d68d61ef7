import { expect, test } from "vitest";
import { formOf, settingsOf, wrongSlots, wrongWeight } from "./settings.ts";

test("an empty form is the defaults", () => {
  expect(settingsOf(formOf())).toEqual({ title: null, slots: null, weight: 1 });
});

test("what is no number of slots and no weight is told", () => {
  for (const good of ["", "0", " 40 "]) expect(wrongSlots(good)).toBe(null);
  for (const bad of ["-1", "1.5", "many"]) expect(wrongSlots(bad)).not.toBe(null);
  for (const good of ["1", "0.5", "1000"]) expect(wrongWeight(good)).toBe(null);
  for (const bad of ["", "0", "-2", "1001", "NaN", "x"]) expect(wrongWeight(bad)).not.toBe(null);
});
