import { queryOptions } from "@tanstack/react-query";
import type { Change } from "@/lib/diff/words.ts";
import { pages } from "./queries.ts";
import { path, request } from "./request.ts";

export interface Version {
  version: number;
  spec_hash: string;
  bundle_version: string;
  created_at: string;
  runs: number;
  last_run_at: string | null;
}

export interface Source {
  file: string;
  text: string;
  bundle_version: string;
  /** Other files of the bundle. */
  others: string[];
}

export interface Diff {
  from: number;
  to: number;
  changes: Change[];
  source_diff: string;
}

export const versions = (dagId: string) =>
  pages<Version>(["versions", dagId], path`/dags/${dagId}/versions`, {}, 100);

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
      request<Diff>(path`/dags/${dagId}/diff`, { query: { from, to }, signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
