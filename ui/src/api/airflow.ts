import { queryOptions } from "@tanstack/react-query";
import { pages } from "./pages.ts";
import { request } from "./request.ts";

/** The runs that Airflow did of a DAG, newest first. They change only when somebody imports. */
export const airflowRuns = (dagId: string) =>
  pages(["airflow-runs", dagId], (cursor, signal) =>
    request("get", "/dags/{dag_id}/airflow-runs", {
      path: { dag_id: dagId },
      query: { limit: 100, cursor },
      signal,
    }),
  );

export const airflowRun = (dagId: string, runId: string) =>
  queryOptions({
    queryKey: ["airflow-run", dagId, runId],
    queryFn: ({ signal }) =>
      request("get", "/dags/{dag_id}/airflow-run", {
        path: { dag_id: dagId },
        query: { airflow_run: runId },
        signal,
      }),
    staleTime: 60_000,
  });
