import { queryOptions } from "@tanstack/react-query";
import { pages } from "./queries.ts";
import { path, request } from "./request.ts";
import type { DagSpec, Source, Version, VersionDiff } from "./types.ts";

export const versions = (dagId: string) =>
  pages<Version>(["versions", dagId], path`/dags/${dagId}/versions`, {}, 100);

/** The DAG as that version was registered. */
export const versionSpec = (dagId: string, version: number) =>
  queryOptions({
    queryKey: ["version-spec", dagId, version],
    queryFn: ({ signal }) => request<DagSpec>(path`/dags/${dagId}/versions/${version}`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** The source of a version, which never changes. */
export const versionSource = (dagId: string, version: number) =>
  queryOptions({
    queryKey: ["source", dagId, version],
    queryFn: ({ signal }) =>
      request<Source>(path`/dags/${dagId}/versions/${version}/source`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** The source exactly as the run got it. */
export const runSource = (runId: string) =>
  queryOptions({
    queryKey: ["run-source", runId],
    queryFn: ({ signal }) => request<Source>(path`/runs/${runId}/source`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const diff = (dagId: string, from: number, to: number) =>
  queryOptions({
    queryKey: ["diff", dagId, from, to],
    queryFn: ({ signal }) =>
      request<VersionDiff>(path`/dags/${dagId}/diff`, { query: { from, to }, signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
