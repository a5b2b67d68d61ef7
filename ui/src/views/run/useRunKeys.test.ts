import { expect, test } from "vitest";
import type { Diagnosis } from "@/api/types.ts";
import { nextError } from "./useRunKeys.ts";

const ERRORS = [
  { first: { task_id: "a", map_index: -1, attempt: 2 } },
  { first: { task_id: "b", map_index: 7, attempt: 1 } },
] as Diagnosis["errors"];

test("from error to error, and round again", () => {
  expect(nextError(ERRORS, {}, 1)).toEqual({ task: "a", map: undefined, try: 2 });
  expect(nextError(ERRORS, { task: "a" }, 1)).toEqual({ task: "b", map: 7, try: 1 });
  expect(nextError(ERRORS, { task: "b", map: 7 }, 1)).toMatchObject({ task: "a" });
  expect(nextError(ERRORS, {}, -1)).toMatchObject({ task: "b" });
  expect(nextError(ERRORS, { task: "b", map: 7 }, -1)).toMatchObject({ task: "a" });
});

test("without errors there is nowhere to go", () => {
  expect(nextError([], { task: "a" }, 1)).toBeNull();
});
