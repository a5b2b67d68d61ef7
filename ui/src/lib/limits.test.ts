import { expect, test } from "vitest";
import { changedLimits, labelOf, standingOf, standingOfPool, textsOf } from "./limits.ts";

const STORED = [
  { name: "open_runs", limit: 1000, used: 12 },
  { name: "requests_per_s", limit: null, used: null },
];

test("a limit is shown with what counts against it", () => {
  expect(standingOf({ name: "open_runs", limit: 1000, used: 12 })).toBe("12 of 1,000");
  expect(standingOf({ name: "open_runs", limit: null, used: 12 })).toBe("12 now, no limit");
  expect(standingOf({ name: "requests_per_s", limit: 50, used: null })).toBe("at most 50");
  expect(standingOf({ name: "requests_per_s", limit: null, used: null })).toBe("no limit");
  expect(standingOf({ name: "log_bytes_per_minute", limit: 50_000_000, used: 30_608 })).toBe(
    "30.6 kB of 50.0 MB",
  );
  expect(labelOf("of_a_later_version")).toBe("of_a_later_version");
});

test("only what changed is asked for, and an empty text removes a limit", () => {
  const texts = textsOf(STORED);
  expect(texts).toEqual({ open_runs: "1000", requests_per_s: "" });
  expect(changedLimits(texts, STORED)).toEqual({});
  expect(changedLimits({ open_runs: " ", requests_per_s: "50" }, STORED)).toEqual({
    open_runs: null,
    requests_per_s: 50,
  });
});

test("a warm pool is shown with its agents and why some are missing", () => {
  const agents = [{ is_ready: true }, { is_ready: false }];
  const reason = "an agent of the warm pool is starting";
  expect(standingOfPool({ replicas: 2, agents, reason }, 5)).toBe(
    "1 of 2 ready, at most 5: an agent of the warm pool is starting",
  );
  expect(standingOfPool({ replicas: 0, agents: [], reason: null }, 5)).toBe(
    "0 of 0 ready, at most 5",
  );
});
