import { isFinal } from "../src/lib/states.ts";
import type { Server } from "./server.ts";

/** How long a test waits for what must come: longer than the slowest machine takes, so that only a fault ends it. */
export const PATIENCE_MS = 60_000;

/** The API, asked by the server's own token: to prepare what a test looks at. */
export async function ask<T>(
  server: Server,
  path: string,
  body?: unknown,
  method = body === undefined ? "GET" : "POST",
): Promise<T> {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${server.token}`, "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

export async function put(server: Server, path: string, body: unknown): Promise<void> {
  await ask(server, path, body, "PUT");
}

/** Trigger a run, and wait until it has ended. */
export async function ran(server: Server, dag: string, params = {}): Promise<string> {
  const { run_id } = await ask<{ run_id: string }>(server, `/dags/${dag}/runs`, { params });
  await ended(server, run_id);
  return run_id;
}

/** Wait until a run has ended, however long that takes; the state in which it did. */
export async function ended(server: Server, run: string): Promise<string> {
  for (;;) {
    const { state } = await ask<{ state: string }>(server, `/runs/${run}?wait_s=30`);
    if (isFinal(state)) return state;
  }
}

/** A link that signs somebody in: the local admin, if nobody is named. */
export async function link(server: Server, user?: string): Promise<string> {
  return (await ask<{ url: string }>(server, "/login-links", { user })).url;
}
