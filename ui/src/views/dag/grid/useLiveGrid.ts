import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import type { Grid, GridRun } from "@/api/types.ts";
import { changed } from "@/lib/grid/delta.ts";
import { type Patches, useLive } from "@/state/live.ts";
import { GridReader } from "./reader.ts";
import { type Pages, rowsByTask, withRun } from "./stored.ts";

/**
 * Put what the stream says of the DAG's runs into the grid that is shown. What a delta cannot say,
 * a run that is new or the counts of a mapped task, is read anew of that run alone.
 */
export function useLiveGrid(dag: string): void {
  const queries = useQueryClient();
  const reader = useMemo(() => new GridReader(queries, dag), [queries, dag]);
  useEffect(() => () => reader.stop(), [reader]);
  useLive(
    { dag_id: dag },
    useMemo(() => patches(dag, reader), [dag, reader]),
  );
}

function patches(dag: string, reader: GridReader): Patches {
  const update = (
    queries: QueryClient,
    runId: string,
    next: (run: GridRun, page: Grid) => GridRun,
  ) => {
    reader.heard(runId);
    const pages = queries.getQueryData<Pages>(["grid", dag]);
    if (!pages) return;
    const at = pages.pages.findIndex((page) => page.runs.some((run) => run.run_id === runId));
    if (at < 0) reader.want(runId);
    else queries.setQueryData<Pages>(["grid", dag], withRun(pages, at, runId, next));
  };
  return {
    task_instance: (queries, { dag_id, run_id, changes }) => {
      if (dag_id !== dag) return [];
      update(queries, run_id, (run, page) => {
        const after = changed(run, rowsByTask(page), changes);
        if (after.stale) reader.want(run_id);
        return after.column;
      });
      return [];
    },
    run: (queries, { dag_id, run_id, state, started_at, ended_at }) => {
      if (dag_id !== dag) return [];
      update(queries, run_id, (run) => ({ ...run, state, started_at, ended_at }));
      return [];
    },
  };
}
