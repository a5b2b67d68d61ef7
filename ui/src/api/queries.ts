import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { pages } from "./pages.ts";
import { isBusy, type QueryOf, request } from "./request.ts";

/**
 * What the pages read, by noun. The first part of each key is the noun, so that a change on the
 * stream marks everything about it as stale: ["runs"], ["run", id], ["dags"], ["dag", id].
 */

export const session = () =>
  queryOptions({
    queryKey: ["session"],
    queryFn: ({ signal }) => request("get", "/session", { signal }),
    staleTime: 60_000,
    retry: isBusy, // all else is told at once: who is not signed in, a server that is away
  });

/** How one may sign in here: asked for by the login page, before anybody is signed in. */
export const signInWays = () =>
  queryOptions({
    queryKey: ["sign-in"],
    queryFn: ({ signal }) => request("get", "/sign-in", { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const overview = () =>
  queryOptions({
    queryKey: ["overview"],
    queryFn: ({ signal }) => request("get", "/overview", { signal }),
    refetchInterval: 30_000,
  });

/** DAGs, and how many there are in all. */
export const dags = (filter: QueryOf<"/dags">) =>
  infiniteQueryOptions({
    ...pages(["dags", filter], (cursor, signal) =>
      request("get", "/dags", { query: { ...filter, limit: 200, cursor }, signal }),
    ),
    select: ({ pages: [first, ...more] }) => ({
      items: [first, ...more].flatMap((page) => page?.items ?? []),
      totals: first?.totals ?? null,
    }),
  });

/** Without its tasks, which may be thousands: what shows tasks reads those of a run. */
export const dag = (dagId: string) =>
  queryOptions({
    queryKey: ["dag", dagId],
    queryFn: ({ signal }) =>
      request("get", "/dags/{dag_id}", {
        path: { dag_id: dagId },
        query: { with_tasks: false },
        signal,
      }),
  });

export const runs = (filter: QueryOf<"/runs">) =>
  pages(["runs", filter], (cursor, signal) =>
    request("get", "/runs", { query: { ...filter, limit: 100, cursor }, signal }),
  );

/** How many runs a list has in all, by state, whatever state it is narrowed to. */
export const runTotals = ({ state: _, sort: __, ...filter }: QueryOf<"/runs">) =>
  queryOptions({
    queryKey: ["runs", filter, "totals"],
    queryFn: ({ signal }) => request("get", "/run-totals", { query: filter, signal }),
  });

export const run = (runId: string) =>
  queryOptions({
    queryKey: ["run", runId],
    queryFn: ({ signal }) => request("get", "/runs/{run_id}", { path: { run_id: runId }, signal }),
  });

/** The runs of its DAG before and after a run. */
export const adjacentRuns = (runId: string) =>
  queryOptions({
    queryKey: ["adjacent-runs", runId],
    queryFn: ({ signal }) =>
      request("get", "/runs/{run_id}/adjacent", { path: { run_id: runId }, signal }),
  });

export const health = () =>
  queryOptions({
    queryKey: ["health"],
    queryFn: ({ signal }) => request("get", "/health", { signal }),
    staleTime: 60_000,
  });

export const slots = () =>
  queryOptions({
    queryKey: ["slots"],
    queryFn: ({ signal }) => request("get", "/slots", { signal }),
    refetchInterval: 15_000,
  });

export const backfills = () =>
  pages(["backfills"], (cursor, signal) =>
    request("get", "/backfills", { query: { limit: 100, cursor }, signal }),
  );

export const events = (filter: QueryOf<"/events">) =>
  pages(["events", filter], (before, signal) =>
    request("get", "/events", { query: { ...filter, limit: 200, before }, signal }),
  );

export const users = () =>
  pages(["users"], (cursor, signal) =>
    request("get", "/users", { query: { limit: 200, cursor }, signal }),
  );

export const tokens = () =>
  pages(["tokens"], (cursor, signal) =>
    request("get", "/tokens", { query: { limit: 200, cursor }, signal }),
  );

export const connections = () =>
  pages(["connections"], (_, signal) => request("get", "/connections", { signal }));

export const variables = () =>
  pages(["variables"], (_, signal) => request("get", "/variables", { signal }));

export const webhooks = () =>
  pages(["webhooks"], (_, signal) => request("get", "/webhooks", { signal }));

export const webhookDeliveries = (name: string) => ({
  ...pages(["webhooks", name, "deliveries"], (cursor, signal) =>
    request("get", "/webhooks/{name}/deliveries", {
      path: { name },
      query: { limit: 20, cursor },
      signal,
    }),
  ),
  refetchInterval: 5_000, // no stream tells of them
});

export const outboundWebhooks = () => ({
  ...pages(["outbound-webhooks"], (_, signal) => request("get", "/outbound-webhooks", { signal })),
  refetchInterval: 10_000, // no stream tells whether they fail
});

export const outboundDeliveries = (name: string) => ({
  ...pages(["outbound-webhooks", name, "deliveries"], (cursor, signal) =>
    request("get", "/outbound-webhooks/{name}/deliveries", {
      path: { name },
      query: { limit: 20, cursor },
      signal,
    }),
  ),
  refetchInterval: 5_000, // no stream tells of them
});

export const teams = () => pages(["teams"], (_, signal) => request("get", "/teams", { signal }));

export const grants = () =>
  pages(["grants"], (cursor, signal) =>
    request("get", "/grants", { query: { limit: 200, cursor }, signal }),
  );

/** Runs of a DAG of another team; no stream of this team tells of them. */
export const sharedRuns = (owner: string, dag: string) => ({
  ...pages(["shared", owner, dag], (cursor, signal) =>
    request("get", "/runs", { query: { dag_id: dag, limit: 100, cursor }, of: owner, signal }),
  ),
  refetchInterval: 10_000,
});

export const roles = () => pages(["roles"], (_, signal) => request("get", "/roles", { signal }));

export const runLinks = () =>
  pages(["run-links"], (cursor, signal) =>
    request("get", "/run-links", { query: { limit: 200, cursor }, signal }),
  );

export const runRetention = () =>
  queryOptions({
    queryKey: ["run-retention"],
    queryFn: ({ signal }) => request("get", "/run-retention", { signal }),
  });

export const logRetention = () =>
  queryOptions({
    queryKey: ["log-retention"],
    queryFn: ({ signal }) => request("get", "/log-retention", { signal }),
  });

export const audit = () =>
  pages(["audit"], (cursor, signal) =>
    request("get", "/audit", { query: { limit: 200, cursor }, signal }),
  );

export const auditCheck = () =>
  queryOptions({
    queryKey: ["audit-check"],
    queryFn: ({ signal }) => request("get", "/audit/check", { signal }),
  });

export const importErrors = () =>
  queryOptions({
    queryKey: ["import-errors"],
    queryFn: ({ signal }) => request("get", "/import-errors", { signal }),
    refetchInterval: 30_000, // a file that breaks changes no DAG, so that no stream tells of it
  });

const ASSETS_MS = 10_000; // no stream tells of events of assets

export const assets = (filter: QueryOf<"/assets">) => ({
  ...pages(["assets", filter], (cursor, signal) =>
    request("get", "/assets", { query: { ...filter, limit: 200, cursor }, signal }),
  ),
  refetchInterval: ASSETS_MS,
});

export const asset = (name: string) =>
  queryOptions({
    queryKey: ["assets", "detail", name],
    queryFn: ({ signal }) => request("get", "/assets/detail", { query: { asset: name }, signal }),
    refetchInterval: ASSETS_MS,
  });

export const assetEvents = (name: string) => ({
  ...pages(["assets", "events", name], (cursor, signal) =>
    request("get", "/assets/events", { query: { asset: name, limit: 50, cursor }, signal }),
  ),
  refetchInterval: ASSETS_MS,
});

export const assetPartitions = (name: string) => ({
  ...pages(["assets", "partitions", name], (cursor, signal) =>
    request("get", "/assets/partitions", { query: { asset: name, limit: 50, cursor }, signal }),
  ),
  refetchInterval: ASSETS_MS,
});

export const dependencies = (q: string) => ({
  ...pages(["dependencies", q], (cursor, signal) =>
    request("get", "/dependencies", { query: { q: q || undefined, limit: 100, cursor }, signal }),
  ),
  staleTime: 30_000,
});

/** What one DAG waits for, and what waits for it. */
/** What the next run of a DAG waits for. Under ["dag", id], so that each of its changes asks again. */
export const nextRun = (dag: string) =>
  queryOptions({
    queryKey: ["dag", dag, "next"],
    queryFn: ({ signal }) =>
      request("get", "/dags/{dag_id}/next", { path: { dag_id: dag }, query: { count: 1 }, signal }),
    refetchInterval: 30_000,
  });

export const dagLinks = (dag: string) =>
  queryOptions({
    queryKey: ["dependencies", { dag }],
    queryFn: ({ signal }) => request("get", "/dependencies", { query: { dag_id: dag }, signal }),
    staleTime: 30_000,
  });

export const search = (q: string) =>
  queryOptions({
    queryKey: ["search", q],
    queryFn: ({ signal }) => request("get", "/search", { query: { q }, signal }),
    enabled: q.trim().length > 0,
    staleTime: 10_000,
  });
