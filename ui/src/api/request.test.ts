import { afterEach, expect, test, vi } from "vitest";
import { address, encoded, Problem, request } from "./request.ts";

afterEach(() => vi.unstubAllGlobals());

function answering(status: number, body: string) {
  const sent = vi.fn(async (_url: string, _init: RequestInit) => new Response(body, { status }));
  vi.stubGlobal("fetch", sent);
  return sent;
}

test("what varies in a path is escaped", () => {
  const where = address("/runs/{run_id}/task-instances/{task_id}/logs/download", {
    path: { run_id: "a/b?c", task_id: "$&" },
    query: { map_index: -1 },
  });
  expect(where).toBe("/api/v1/runs/a%2Fb%3Fc/task-instances/%24%26/logs/download?map_index=-1");
});

test("what a page of a team asks is asked of this team, by a header or, where none can be sent, by the address", async () => {
  vi.stubGlobal("location", { pathname: "/t/data-platform/dags" });
  const sent = answering(200, "{}");
  await request("get", "/overview");
  expect(sent.mock.calls[0]?.[1].headers).toMatchObject({ "headway-team": "data-platform" });
  expect(address("/stream", { query: { topics: "run" } })).toBe(
    "/api/v1/stream?topics=run&headway-team=data-platform",
  );
});

test("what is not given is not sent, a list is sent as many", () => {
  expect(encoded({ q: "", state: ["failed", "running"], dag_id: null, limit: 5 })).toBe(
    "?state=failed&state=running&limit=5",
  );
  expect(encoded({})).toBe("");
});

test("a body goes as JSON, with its key", async () => {
  const sent = answering(201, '{"backfill_id": "b1"}');
  const body = { from: "2026-01-01", to: "2026-01-02" };
  const path = { dag_id: "d" };
  const wanted = { path, body, idempotencyKey: "k" };
  expect(await request("post", "/dags/{dag_id}/backfills", wanted)).toEqual({ backfill_id: "b1" });
  const [url, init] = sent.mock.calls[0] ?? [];
  expect(url).toBe("/api/v1/dags/d/backfills");
  expect(init?.method).toBe("POST");
  expect(init?.body).toBe(JSON.stringify(body));
  expect(init?.headers).toMatchObject({ "idempotency-key": "k" });
});

test("an answer without a body is nothing", async () => {
  vi.stubGlobal("fetch", async () => new Response(null, { status: 204 }));
  const wanted = { path: { name: "ada" }, body: { password: "x" } };
  expect(await request("put", "/users/{name}/password", wanted)).toBeUndefined();
});

test("a problem keeps its code, its words and its hint", async () => {
  answering(404, '{"status": 404, "code": "not_found", "detail": "no DAG", "hint": "headway ls"}');
  const error = await request("get", "/health").catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(Problem);
  expect(error).toMatchObject({
    status: 404,
    code: "not_found",
    detail: "no DAG",
    hint: "headway ls",
  });
});

test("an answer that is no problem document is still told", async () => {
  answering(502, "<html>");
  await expect(request("get", "/health")).rejects.toMatchObject({ status: 502, code: "unknown" });
});

test("no answer at all says so", async () => {
  vi.stubGlobal("fetch", async () => {
    throw new TypeError("failed to fetch");
  });
  await expect(request("get", "/health")).rejects.toMatchObject({ code: "not_reachable" });
});

test("what the document does not know is refused by the compiler", async () => {
  answering(200, "{}");
  // @ts-expect-error: no such route
  await request("get", "/nowhere");
  // @ts-expect-error: the route does not know the verb
  await request("delete", "/health");
  // @ts-expect-error: its path is needed
  await request("get", "/runs/{run_id}");
  // @ts-expect-error: no such query
  await request("get", "/runs", { query: { colour: "red" } });
  // @ts-expect-error: no such state
  await request("get", "/runs", { query: { state: "done" } });
  // @ts-expect-error: the body lacks its state
  await request("post", "/runs/{run_id}/mark", { path: { run_id: "r" }, body: {} });
  // @ts-expect-error: what is answered has no such field
  (await request("get", "/health")).colour;
});
