import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { encoded } from "@/api/request.ts";
import { applyRun, type RunDelta } from "./deltas.ts";

/**
 * One stream of changes for the whole page. What it says is put into the queries; what cannot be
 * put there makes them stale. When the stream is cut, the queries poll until it is back.
 */
export type Topic = "run" | "task_instance" | "dag" | "pool" | "log";
export type Scope = { dag_id?: string; run_id?: string; topics: Topic[] };
export type Liveness = "connecting" | "live" | "stale";

const TOPICS: readonly Topic[] = ["run", "task_instance", "dag", "pool", "log"];
const EVERYTHING: Scope = { topics: ["run", "dag", "pool"] };
const RETRY_MS = [1_000, 2_000, 5_000, 15_000];
const GRACE_MS = 4_000; // a stream ends now and then by itself, and comes back
const SETTLE_MS = 500; // many changes at once make the lists stale once

type Handler = (data: unknown) => void;
const handlers = new Map<Topic, Set<Handler>>();
const watchers = new Set<() => void>();
const scopes: Scope[] = [];
let source: EventSource | null = null;
let client: QueryClient | null = null;
let liveness: Liveness = "connecting";
let failures = 0;
let position: string | null = null; // where the next stream goes on
let doubt: ReturnType<typeof setTimeout> | undefined;
let retry: ReturnType<typeof setTimeout> | undefined;
const stale = new Set<string>();

/**
 * Begin to follow, once there is a session; the answer ends it. A tab in the background lets go, and
 * hears what it missed when it is looked at again: a browser has few connections to a server, and
 * six tabs that held one each would leave none for a click.
 */
export function follow(queries: QueryClient): () => void {
  client = queries;
  const turn = () => {
    if (document.hidden) release();
    else connect();
  };
  turn();
  document.addEventListener("visibilitychange", turn);
  return () => {
    document.removeEventListener("visibilitychange", turn);
    client = null;
    release();
  };
}

function release(): void {
  close();
  trust();
}

function connect(): void {
  close();
  const { topics, ...only } = scopes.at(-1) ?? EVERYTHING;
  const query = { ...only, topics: topics.join(","), last_event_id: position };
  const stream = new EventSource(`/api/v1/stream${encoded(query)}`);
  stream.onopen = () => {
    trust();
    failures = 0;
    become("live");
  };
  stream.onerror = () => {
    // From the first failure on: each try that fails is another error.
    doubt ??= setTimeout(() => become("stale"), GRACE_MS);
    // The browser comes back by itself, except after an answer that was no stream.
    if (stream.readyState === EventSource.CLOSED) {
      retry = setTimeout(connect, RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
    }
  };
  // What was read before the first position was known may be older than it.
  stream.addEventListener("ready", (event) => {
    if (position === null) client?.invalidateQueries();
    position = event.lastEventId || position;
  });
  stream.addEventListener("reset", (event) => {
    position = event.lastEventId || null;
    client?.invalidateQueries();
  });
  for (const topic of TOPICS) {
    stream.addEventListener(topic, (event) => {
      position = event.lastEventId || position;
      take(topic, JSON.parse(event.data));
    });
  }
  source = stream;
}

function close(): void {
  clearTimeout(retry);
  source?.close();
  source = null;
}

function trust(): void {
  clearTimeout(doubt);
  doubt = undefined;
}

function become(next: Liveness): void {
  if (liveness === next) return;
  liveness = next;
  // What is shown begins to poll when it is next read; nothing else would make it look.
  if (next === "stale") client?.invalidateQueries();
  for (const watcher of watchers) watcher();
}

function take(topic: Topic, data: unknown): void {
  for (const handler of handlers.get(topic) ?? []) handler(data);
  if (topic === "run" && client) applyRun(client, data as RunDelta);
  const affected: Record<Topic, readonly string[]> = {
    run: ["overview", "dags", "runs", "newest-run", "slots", "backfills", "backfill", "events"],
    task_instance: [],
    dag: ["overview", "dags", "dag", "import-errors"],
    pool: ["slots", "overview"],
    log: [],
  };
  if (stale.size === 0 && affected[topic].length > 0) setTimeout(settle, SETTLE_MS);
  for (const noun of affected[topic]) stale.add(noun);
}

function settle(): void {
  for (const noun of stale) client?.invalidateQueries({ queryKey: [noun] });
  stale.clear();
}

export function isLive(): boolean {
  return liveness === "live";
}

export function useLiveness(): Liveness {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => liveness,
  );
}

/** While a page is shown, follow only what concerns it: for instance the task instances of a run. */
export function useScope(scope: Scope): void {
  const { dag_id, run_id } = scope;
  const topics = scope.topics.join(",");
  useEffect(() => {
    const mine: Scope = { dag_id, run_id, topics: topics.split(",") as Topic[] };
    scopes.push(mine);
    if (source) connect();
    return () => {
      scopes.splice(scopes.indexOf(mine), 1);
      if (source) connect();
    };
  }, [dag_id, run_id, topics]);
}

/** Be told each change of a topic. `handler` must be stable (useCallback). */
export function useChanges<T>(topic: Topic, handler: (data: T) => void): void {
  useEffect(() => {
    const set = handlers.get(topic) ?? new Set();
    handlers.set(topic, set);
    set.add(handler as Handler);
    return () => {
      set.delete(handler as Handler);
    };
  }, [topic, handler]);
}

/** Follow while mounted. */
export function useFollow(): void {
  const queries = useQueryClient();
  useEffect(() => follow(queries), [queries]);
}
