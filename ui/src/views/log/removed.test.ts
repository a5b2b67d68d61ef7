import { expect, test } from "vitest";
import { Problem } from "@/api/request.ts";
import { removedSentence } from "./removed.ts";

test("a log that is kept no longer says so, and nothing else does", () => {
  const gone = new Problem(404, "log_removed", "the log was removed on 2026-11-21");
  expect(removedSentence(gone)).toBe("The log was removed on 2026-11-21.");
  expect(removedSentence(new Problem(404, "not_found", "there is no such run"))).toBe(null);
  expect(removedSentence(new Error("the log was removed"))).toBe(null);
  expect(removedSentence(null)).toBe(null);
});
