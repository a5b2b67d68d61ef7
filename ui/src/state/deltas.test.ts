import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import type { Run } from "@/api/types.ts";
import { applyRun, patched } from "./deltas.ts";

const run = { run_id: "r1", dag_id: "d", state: "queued", note: "kept" } as Run;
const other = { run_id: "r2", dag_id: "d", state: "queued" } as Run;
const listed = { pages: [{ items: [run, other], next_cursor: null }], pageParams: [null] };

test("a delta changes the run wherever it is shown, and nothing else", () => {
  const client = new QueryClient();
  client.setQueryData(["run", "r1"], run);
  client.setQueryData(["runs", { state: "queued" }], listed);
  applyRun(client, { run_id: "r1", dag_id: "d", state: "running" });
  expect(client.getQueryData(["run", "r1"])).toMatchObject({ state: "running", note: "kept" });
  expect(client.getQueryData(["runs", { state: "queued" }])).toMatchObject({
    pages: [{ items: [{ run_id: "r1", state: "running" }, other] }],
  });
});

test("a delta of a run that is not shown leaves the pages as they are", () => {
  expect(patched(listed, { run_id: "r9", dag_id: "d" })).toBe(listed);
});
