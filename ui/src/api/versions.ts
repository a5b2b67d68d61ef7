import { queryOptions } from "@tanstack/react-query";
import { pages } from "./pages.ts";
import { request } from "./request.ts";

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

/** Each change of the code, newest first: of the specification, or of files that the DAG's file imports. */
export const codeChanges = (dagId: string) =>
  pages(["code-changes", dagId], (cursor, signal) =>
    request("get", "/dags/{dag_id}/changes", {
      path: { dag_id: dagId },
      query: { limit: 100, cursor },
      signal,
    }),
  );

/** What is different after a change; without `from`, from what was before it. */
export const codeChange = (dagId: string, number: number, from?: number) =>
  queryOptions({
    queryKey: ["code-change", dagId, number, from],
    queryFn: ({ signal }) =>
      request("get", "/dags/{dag_id}/changes/{number}", {
        path: { dag_id: dagId, number },
        query: { from },
        signal,
      }),
    staleTime: Number.POSITIVE_INFINITY,
  });
