import { afterEach, expect, test, vi } from "vitest";
import { encoded, Problem, path, request } from "./request.ts";

afterEach(() => vi.unstubAllGlobals());

function answering(status: number, body: string) {
  const sent = vi.fn(async (_url: string, _init: RequestInit) => new Response(body, { status }));
  vi.stubGlobal("fetch", sent);
  return sent;
}

test("variable parts of a path are escaped", () => {
  expect(path`/runs/${"a/b?c"}/tasks/${3}`).toBe("/runs/a%2Fb%3Fc/tasks/3");
});

test("what is not given is not sent, a list is sent as many", () => {
  expect(encoded({ q: "", state: ["failed", "running"], dag_id: null, limit: 5 })).toBe(
    "?state=failed&state=running&limit=5",
  );
  expect(encoded({})).toBe("");
});

test("a body goes as JSON, with its key", async () => {
  const sent = answering(201, '{"run_id": "r1"}');
  expect(await request("/x", { method: "POST", body: { a: 1 }, idempotencyKey: "k" })).toEqual({
    run_id: "r1",
  });
  const [url, init] = sent.mock.calls[0] ?? [];
  expect(url).toBe("/api/v1/x");
  expect(init?.body).toBe('{"a":1}');
  expect(init?.headers).toMatchObject({ "idempotency-key": "k" });
});

test("a problem keeps its code, its words and its hint", async () => {
  answering(404, '{"status": 404, "code": "not_found", "detail": "no DAG", "hint": "headway ls"}');
  const error = await request("/x").catch((caught: unknown) => caught);
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
  await expect(request("/x")).rejects.toMatchObject({ status: 502, code: "unknown" });
});

test("no answer at all says so", async () => {
  vi.stubGlobal("fetch", async () => {
    throw new TypeError("failed to fetch");
  });
  await expect(request("/x")).rejects.toMatchObject({ code: "not_reachable" });
});
