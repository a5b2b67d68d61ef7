import { queryOptions } from "@tanstack/react-query";
import { pages } from "./pages.ts";
import { request } from "./request.ts";

export const versions = (dagId: string) =>
  pages(["versions", dagId], (cursor, signal) =>
    request("get", "/dags/{dag_id}/versions", {
      path: { dag_id: dagId },
      query: { limit: 100, cursor },
      signal,
    }),
  );

/** The DAG as that version was registered. */
export const versionSpec = (dagId: string, version: number) =>
  queryOptions({
    queryKey: ["version-spec", dagId, version],
    queryFn: ({ signal }) =>
      request("get", "/dags/{dag_id}/versions/{version}", {
        path: { dag_id: dagId, version },
        signal,
      }),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** The source of a version, which never changes. */
export const versionSource = (dagId: string, version: number) =>
  queryOptions({
    queryKey: ["source", dagId, version],
    queryFn: ({ signal }) =>
      request("get", "/dags/{dag_id}/versions/{version}/source", {
        path: { dag_id: dagId, version },
        signal,
      }),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** The source exactly as the run got it. */
export const runSource = (runId: string) =>
  queryOptions({
    queryKey: ["run-source", runId],
    queryFn: ({ signal }) =>
      request("get", "/runs/{run_id}/source", { path: { run_id: runId }, signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const diff = (dagId: string, from: number, to: number) =>
  queryOptions({
    queryKey: ["diff", dagId, from, to],
    queryFn: ({ signal }) =>
      request("get", "/dags/{dag_id}/diff", {
        path: { dag_id: dagId },
        query: { from, to },
        signal,
      }),
    staleTime: Number.POSITIVE_INFINITY,
  });
