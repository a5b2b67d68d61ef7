import { expect, test } from "vitest";
import type { Event } from "@/api/types.ts";
import { byPerson, meant, to, what, who } from "./describe.ts";

const event = (given: Partial<Event>): Event => ({
  seq: 1,
  at: "2026-01-01T00:00:00Z",
  subject: "run",
  name: "start",
  state: null,
  task_id: null,
  dag_id: null,
  run_id: null,
  map_index: null,
  attempt: null,
  version: null,
  actor: "scheduler",
  reason: null,
  rendered_map_index: null,
  why: null,
  ...given,
});

test("what happened, and to what", () => {
  expect(what(event({ name: "succeed", state: "success" }))).toBe("succeeded");
  expect(what(event({ name: "mark_failed", state: "failed" }))).toBe("marked as failed");
  expect(what(event({ name: "pause" }))).toBe("paused");
  expect(what(event({ name: "cancel", state: "running" }))).toBe("is being cancelled");
  expect(what(event({ name: "some_day" }))).toBe("some day");
  expect(to(event({ task_id: "load", map_index: 3, attempt: 2 }))).toBe("load[3], attempt 2");
  const named = { task_id: "load", map_index: 3, rendered_map_index: "Paris" };
  expect(to(event({ ...named, attempt: 2 }))).toBe("load [Paris], attempt 2");
  expect(to(event({ task_id: "load", map_index: -1 }))).toBe("load");
  expect(to(event({}))).toBe("");
});

test("a name is written as it is shown", () => {
  expect(["ada", "user:ada", "user", "scheduler", ""].map(meant)).toEqual([
    "user:ada",
    "user:ada",
    "user",
    "scheduler",
    "",
  ]);
});

test("people are told from Headway", () => {
  expect(byPerson("user:admin")).toBe(true);
  expect(byPerson("scheduler")).toBe(false);
  expect(who("user:ada")).toBe("ada");
  expect(who("agent:ce-bC2Dakj7g8btdebAQeA")).toBe("agent");
});
