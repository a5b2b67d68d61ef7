import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { path, type Query, request } from "./request.ts";
import type * as api from "./types.ts";

/**
 * What the pages read, by noun. The first part of each key is the noun, so that a change on the
 * stream marks everything about it as stale: ["runs"], ["run", id], ["dags"], ["dag", id].
 */

export const session = () =>
  queryOptions({
    queryKey: ["session"],
    queryFn: ({ signal }) => request<api.Session>("/session", { signal }),
    staleTime: 60_000,
    retry: false,
  });

export const overview = () =>
  queryOptions({
    queryKey: ["overview"],
    queryFn: ({ signal }) => request<api.Overview>("/overview", { signal }),
    refetchInterval: 30_000,
  });

export const dags = (filter: Query) =>
  pages<api.DagSummary>(["dags", filter], "/dags", filter, 200);

export const dag = (dagId: string) =>
  queryOptions({
    queryKey: ["dag", dagId],
    queryFn: ({ signal }) => request<api.DagDetail>(path`/dags/${dagId}`, { signal }),
  });

export const runs = (filter: Query) => pages<api.Run>(["runs", filter], "/runs", filter, 100);

export const run = (runId: string) =>
  queryOptions({
    queryKey: ["run", runId],
    queryFn: ({ signal }) => request<api.Run>(path`/runs/${runId}`, { signal }),
  });

export const health = () =>
  queryOptions({
    queryKey: ["health"],
    queryFn: ({ signal }) => request<api.Health>("/health", { signal }),
    staleTime: 60_000,
  });

export const slots = () =>
  queryOptions({
    queryKey: ["slots"],
    queryFn: ({ signal }) => request<api.Slots>("/slots", { signal }),
    refetchInterval: 15_000,
  });

export const backfills = () => pages<api.Backfill>(["backfills"], "/backfills", {}, 100);

export const backfill = (id: string) =>
  queryOptions({
    queryKey: ["backfill", id],
    queryFn: ({ signal }) => request<api.Backfill>(path`/backfills/${id}`, { signal }),
  });

export const events = (filter: Query) =>
  pages<api.Event>(["events", filter], "/events", filter, 200, "before");

export const users = () => pages<api.User>(["users"], "/users", {}, 200);

export const tokens = () => pages<api.Token>(["tokens"], "/tokens", {}, 200);

export const logRetention = () =>
  queryOptions({
    queryKey: ["log-retention"],
    queryFn: ({ signal }) => request<api.LogRetention>("/log-retention", { signal }),
  });

export const audit = (filter: Query) =>
  pages<api.AuditEntry>(["audit", filter], "/audit", filter, 200);

export const auditCheck = () =>
  queryOptions({
    queryKey: ["audit-check"],
    queryFn: ({ signal }) => request<api.AuditCheck>("/audit/check", { signal }),
  });

export const importErrors = () =>
  queryOptions({
    queryKey: ["import-errors"],
    queryFn: ({ signal }) => request<api.Page<api.ImportError>>("/import-errors", { signal }),
  });

export const search = (q: string) =>
  queryOptions({
    queryKey: ["search", q],
    queryFn: ({ signal }) => request<api.SearchAnswer>("/search", { query: { q }, signal }),
    enabled: q.trim().length > 0,
    staleTime: 10_000,
  });

/** A list that is read page by page; `cursor` is what the route calls where to go on. */
export function pages<T>(
  key: readonly unknown[],
  route: string,
  filter: Query,
  limit: number,
  cursor = "cursor",
) {
  return infiniteQueryOptions({
    queryKey: key,
    queryFn: ({ pageParam, signal }) =>
      request<api.Page<T>>(route, { query: { ...filter, limit, [cursor]: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    select: (data) => data.pages.flatMap((page) => page.items),
  });
}
