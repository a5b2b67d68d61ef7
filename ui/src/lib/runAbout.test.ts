import { expect, test } from "vitest";
import { aboutOf } from "./runAbout.ts";

const run = { trigger: "asset", partition: null, assets: [], note: null };

test("a run that assets started names them, and the partition first", () => {
  expect(aboutOf({ ...run, assets: ["orders", "@alias:files"] })).toBe("orders, alias files");
  expect(aboutOf({ ...run, partition: "2026-01-31", assets: ["clicks"] })).toBe(
    "2026-01-31 of clicks",
  );
  expect(aboutOf({ ...run, assets: ["a", "b", "c", "d", "e"] })).toBe("a, b, c and 2 more");
});

test("a run for a partition tells it, whoever started it", () => {
  expect(aboutOf({ ...run, trigger: "manual", partition: "eu" })).toBe("eu");
});

test("a run of a companion tells what the callback is called for", () => {
  const note = "on_failure_callback of load of run 01abc";
  expect(aboutOf({ ...run, trigger: "callback", note })).toBe(note);
  expect(aboutOf({ ...run, trigger: "manual", note })).toBe("");
});
