import {
  hashKey,
  type Query,
  type QueryClient,
  type QueryKey,
  useQueryClient,
} from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { session } from "@/api/queries.ts";
import { address } from "@/api/request.ts";
import type { Session, StreamEvents } from "@/api/types.ts";
import { Paced } from "@/lib/paced.ts";
import { type Told, toEverything } from "./deltas.ts";
import { type Liveness, Stream, type Topic, type World } from "./stream.ts";

export type { Liveness };

/** Of everything, of one DAG or of one run. */
export interface Scope {
  dag_id?: string;
  run_id?: string;
  topics: readonly Topic[];
}

/** Puts a change into what is shown, and says what of it must be read again. */
export type Patches = {
  [T in Topic]?: (queries: QueryClient, data: StreamEvents[T]) => readonly Told[];
};

const EVERYTHING: Scope = { topics: ["run", "dag", "pool"] };

/**
 * The one stream of the page. A change is put into the answers that show it; what it does not say
 * is read again, once for many changes. After a gap everything shown is read again. While the
 * stream is cut, the queries ask by themselves (see queries.ts).
 */
export class Live {
  liveness: Liveness = "connecting";
  private queries: QueryClient | null = null;
  private readonly stream: Stream;
  private readonly again = new Paced<QueryKey>((keys) => this.read(keys));
  private readonly scopes: Scope[] = [];
  private readonly patches = new Set<Patches>([toEverything]);
  private readonly watchers = new Set<() => void>();

  constructor() {
    this.stream = new Stream((position) => this.where(position), {
      change: (topic, data) => this.change(topic, data),
      gap: () => this.readAll(),
      became: (liveness) => this.become(liveness),
    });
  }

  /** Begin to follow, once there is a session; the answer ends it. */
  follow(queries: QueryClient, world?: World): () => void {
    this.queries = queries;
    // All that a page shows was read after the session was: nothing needs to be read twice.
    const began = queries.getQueryData<Pick<Session, "position">>(session().queryKey)?.position;
    this.stream.start(world, began || null);
    return () => {
      this.queries = null;
      this.stream.stop();
      this.again.stop();
    };
  }

  /** Follow what a page shows, until the answer is called; the latest scope is the one that counts. */
  subscribe(scope: Scope, patches: Patches = {}): () => void {
    this.scopes.push(scope);
    this.patches.add(patches);
    this.stream.again();
    return () => {
      this.scopes.splice(this.scopes.indexOf(scope), 1);
      this.patches.delete(patches);
      this.stream.again();
    };
  }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  private where(position: string | null): string {
    const { topics, ...only } = this.scopes.at(-1) ?? EVERYTHING;
    const query = { ...only, topics: topics.join(","), last_event_id: position };
    return address("/stream", { query });
  }

  private change<T extends Topic>(topic: T, data: StreamEvents[T]): void {
    if (!this.queries) return;
    // An answer that is on its way may be older than the change.
    for (const patches of this.patches)
      for (const { key, whole } of patches[topic]?.(this.queries, data) ?? [])
        if (!whole || this.queries.isFetching({ queryKey: key }) > 0) this.again.want(key);
  }

  /** What is being read is read again afterwards: to cut it short each time would never end. */
  private read(keys: readonly QueryKey[]): void {
    const wanted = new Set(keys.map(hashKey));
    const isWanted = ({ queryKey }: Query) =>
      queryKey.some((_, at) => wanted.has(hashKey(queryKey.slice(0, at + 1))));
    const isRead = (query: Query) => query.state.fetchStatus === "fetching";
    const found = this.queries?.getQueryCache().findAll({ predicate: isWanted }) ?? [];
    for (const query of found.filter(isRead)) this.again.want(query.queryKey);
    this.queries?.invalidateQueries({ predicate: (query) => isWanted(query) && !isRead(query) });
  }

  /** What is read for the first time cannot be cut short, and may be older than the gap: it is read again afterwards. */
  private readAll(): void {
    const isFirst = ({ state }: Query) =>
      state.fetchStatus === "fetching" && state.data === undefined;
    const first = this.queries?.getQueryCache().findAll({ predicate: isFirst }) ?? [];
    for (const { queryKey } of first) this.again.want(queryKey);
    this.queries?.invalidateQueries();
  }

  private become(next: Liveness): void {
    if (this.liveness === next) return;
    this.liveness = next;
    // What is shown begins to poll when it is next read; nothing else would make it look.
    if (next === "stale") this.queries?.invalidateQueries();
    for (const watcher of this.watchers) watcher();
  }
}

export const live = new Live();

const POLL_MS = 10_000;

/** How soon a query is asked again: only while the stream of changes is cut. */
export function pollWhileCut(): number | false {
  return live.liveness === "live" ? false : POLL_MS;
}

export function useLiveness(): Liveness {
  return useSyncExternalStore(live.watch, () => live.liveness);
}

/** Follow while mounted. */
export function useFollow(): void {
  const queries = useQueryClient();
  useEffect(() => live.follow(queries), [queries]);
}

const NOTHING: Patches = {};

/** While a page is shown, follow only what concerns it. `patches` must be stable (useMemo). */
export function useLive({ dag_id, run_id }: Omit<Scope, "topics">, patches = NOTHING): void {
  useEffect(() => {
    const scope: Scope = { dag_id, run_id, topics: ["run", "task_instance"] };
    return live.subscribe(scope, { ...patches });
  }, [dag_id, run_id, patches]);
}
