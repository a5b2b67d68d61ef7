import { expect, test } from "vitest";
import { reporterOf, rowOf, shownState, toldOf } from "./watchers.ts";

test("a watcher that has not worked since its error says so", () => {
  expect(shownState({ state: "looking", error: null })).toBe("Looking");
  expect(shownState({ state: "looking", error: "OSError" })).toBe("Looking again");
  expect(shownState({ state: "failed", error: "OSError" })).toBe("Failed");
});

test("what is told is its note while it looks, and else why nobody does", () => {
  const said = { reason: "no DAG waits", note: "2 files there" };
  expect(toldOf({ ...said, state: "looking" })).toBe("2 files there");
  expect(toldOf({ ...said, state: "looking", note: null })).toBe("");
  expect(toldOf({ ...said, state: "stopped" })).toBe("no DAG waits");
});

test("a watcher is named with its events, also if its name has a colon", () => {
  expect(reporterOf("watcher:https://rates.example/eu")).toBe("watcher https://rates.example/eu");
  expect(reporterOf("user:ada")).toBe("ada");
});

test("watchers of one name in two DAGs are two rows", () => {
  const inbox = { name: "inbox", what: "files /in/*.csv" };
  expect(rowOf({ ...inbox, dag_id: "a" })).not.toBe(rowOf({ ...inbox, dag_id: "b" }));
  expect(rowOf({ ...inbox, dag_id: "a" })).not.toBe(rowOf({ ...inbox, dag_id: "a", what: "" }));
});
