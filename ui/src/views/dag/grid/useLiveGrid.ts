import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo } from "react";
import type { Grid, GridRun } from "@/api/grid.ts";
import { type Change, changed } from "@/lib/grid/delta.ts";
import type { RunDelta } from "@/state/deltas.ts";
import { useChanges, useScope } from "@/state/live.ts";
import { GridReader } from "./reader.ts";
import { type Pages, rowsByTask, withRun } from "./stored.ts";

interface Changes {
  run_id: string;
  dag_id: string;
  changes: Change[];
}

/**
 * Put what the stream says of the DAG's runs into the grid that is shown. What a delta cannot say,
 * a run that is new or the counts of a mapped task, is read anew of that run alone.
 */
export function useLiveGrid(dag: string): void {
  const queries = useQueryClient();
  const reader = useMemo(() => new GridReader(queries, dag), [queries, dag]);
  useScope({ dag_id: dag, topics: ["run", "task_instance"] });
  useEffect(() => () => reader.stop(), [reader]);

  const update = useCallback(
    (runId: string, next: (run: GridRun, page: Grid) => GridRun) => {
      const pages = queries.getQueryData<Pages>(["grid", dag]);
      if (!pages) return;
      const at = pages.pages.findIndex((page) => page.runs.some((run) => run.run_id === runId));
      if (at < 0) reader.want(runId);
      else queries.setQueryData<Pages>(["grid", dag], withRun(pages, at, runId, next));
    },
    [queries, dag, reader],
  );
  const onTasks = useCallback(
    (delta: Changes) => {
      if (delta.dag_id !== dag) return;
      reader.heard(delta.run_id);
      update(delta.run_id, (run, page) => {
        const after = changed(run, rowsByTask(page), delta.changes);
        if (after.stale) reader.want(delta.run_id);
        return after.column;
      });
    },
    [dag, update, reader],
  );
  const onRun = useCallback(
    ({ run_id, dag_id, state, started_at, ended_at }: RunDelta) => {
      if (dag_id !== dag) return;
      reader.heard(run_id);
      update(run_id, (run) => ({
        ...run,
        state: state ?? run.state,
        started_at: started_at ?? run.started_at,
        ended_at: ended_at === undefined ? run.ended_at : ended_at,
      }));
    },
    [dag, update, reader],
  );
  useChanges("task_instance", onTasks);
  useChanges("run", onRun);
}
