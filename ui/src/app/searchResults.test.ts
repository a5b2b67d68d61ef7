import { expect, test } from "vitest";
import { results } from "./searchResults.ts";

test("nothing typed: the pages", () => {
  const found = results("", "default", undefined);
  expect(found[0]).toMatchObject({ word: "Home", href: "/t/default/overview" });
});

test("what the server found stands first, and leads to it", () => {
  const found = results("ru", "a b", {
    dags: [{ dag_id: "run/all", description: "" }],
    runs: [{ run_id: "r1", dag_id: "d", state: "failed", logical_date: "2026-01-01T00:00:00Z" }],
    tasks: [{ dag_id: "d", task_id: "run" }],
  });
  expect(found.map(({ href }) => href)).toEqual([
    "/t/a%20b/dags/run%2Fall",
    "/t/a%20b/runs/r1",
    "/t/a%20b/dags/d?task=run",
    "/t/a%20b/runs",
    "/t/a%20b/logs?q=ru",
  ]);
});
