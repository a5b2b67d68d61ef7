import { type InfiniteData, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef } from "react";
import type { Grid, GridRun } from "@/api/grid.ts";
import { type Change, changed } from "@/lib/grid/delta.ts";
import type { RunDelta } from "@/state/deltas.ts";
import { useChanges, useScope } from "@/state/live.ts";

interface Changes {
  run_id: string;
  dag_id: string;
  changes: Change[];
}

type Pages = InfiniteData<Grid>;

const REREAD_MS = 3_000; // what a delta cannot say is read again, at most this often

/** Put what the stream says of the DAG's runs into the grid that is shown. */
export function useLiveGrid(dag: string): void {
  const queries = useQueryClient();
  const key = useMemo(() => ["grid", dag], [dag]);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useScope({ dag_id: dag, topics: ["run", "task_instance"] });
  useEffect(() => () => clearTimeout(timer.current), []);

  const reread = useCallback(() => {
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      queries.invalidateQueries({ queryKey: key });
    }, REREAD_MS);
  }, [queries, key]);

  const update = useCallback(
    (runId: string, next: (run: GridRun, page: Grid) => GridRun) => {
      const pages = queries.getQueryData<Pages>(key);
      if (!pages) return;
      const at = pages.pages.findIndex((page) => page.runs.some((run) => run.run_id === runId));
      if (at < 0) reread();
      else queries.setQueryData<Pages>(key, withRun(pages, at, runId, next));
    },
    [queries, key, reread],
  );

  const onTasks = useCallback(
    (delta: Changes) => {
      if (delta.dag_id !== dag) return;
      update(delta.run_id, (run, page) => {
        const after = changed(run, rowsByTask(page), delta.changes);
        if (after.stale) reread();
        return after.column;
      });
    },
    [dag, update, reread],
  );
  const onRun = useCallback(
    ({ run_id, dag_id, state, started_at, ended_at }: RunDelta) => {
      if (dag_id !== dag) return;
      update(run_id, (run) => ({
        ...run,
        state: state ?? run.state,
        started_at: started_at ?? run.started_at,
        ended_at: ended_at === undefined ? run.ended_at : ended_at,
      }));
    },
    [dag, update],
  );
  useChanges("task_instance", onTasks);
  useChanges("run", onRun);
}

function withRun(
  pages: Pages,
  at: number,
  runId: string,
  next: (run: GridRun, page: Grid) => GridRun,
): Pages {
  const page = pages.pages[at] as Grid;
  const runs = page.runs.map((run) => (run.run_id === runId ? next(run, page) : run));
  if (runs.every((run, index) => run === page.runs[index])) return pages;
  return { ...pages, pages: pages.pages.with(at, { ...page, runs }) };
}

const known = new WeakMap<Grid["tasks"], Map<string, number>>();

function rowsByTask(page: Grid): ReadonlyMap<string, number> {
  const there = known.get(page.tasks);
  if (there) return there;
  const rows = new Map(page.tasks.map((task, row) => [task.task_id, row]));
  known.set(page.tasks, rows);
  return rows;
}
