import { expect, test } from "vitest";
import {
  isFinal,
  letterOf,
  mostTelling,
  STATES,
  stateOfLetter,
  stateWord,
  tally,
} from "./states.ts";

test("counts come with the most telling state first, and no zeros", () => {
  expect(tally({ success: 3, failed: 1, waiting: 0, running: 2 })).toEqual([
    ["failed", 1],
    ["running", 2],
    ["success", 3],
  ]);
  expect(mostTelling({ success: 3, skipped: 1 })).toBe("success");
  expect(mostTelling({})).toBeNull();
});

test("a state of a newer server is shown as it came, and last", () => {
  expect(stateWord("up_for_retry")).toBe("up for retry");
  expect(stateWord("under_review")).toBe("under review");
  expect(tally({ under_review: 1, skipped: 1 }).map(([state]) => state)).toEqual([
    "skipped",
    "under_review",
  ]);
});

test("letters and ends", () => {
  expect(stateOfLetter("R")).toBe("running");
  expect(stateOfLetter(".")).toBeNull();
  expect(isFinal("upstream_failed")).toBe(true);
  expect(isFinal("up_for_retry")).toBe(false);
});

test("every letter is read back as the state it was written for", () => {
  for (const state of STATES) {
    const letter = letterOf(state);
    if (letter) expect(stateOfLetter(letter)).toBe(state);
  }
  expect(letterOf("under_review")).toBeNull();
});
