import type { InfiniteData } from "@tanstack/react-query";
import type { Grid, GridRun } from "@/api/types.ts";
import { withColumn } from "@/lib/grid/column.ts";

/** The grid as it was read, a page of runs at a time, the newest page first. */
export type Pages = InfiniteData<Grid>;

/** The very same pages when nothing of the run has changed: nothing is painted for nothing. */
export function withRun(
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

/** With a run that was in none of the pages, in the newest where it belongs by its date. */
export function withNewRun(pages: Pages, run: GridRun): Pages {
  const page = pages.pages[0] as Grid;
  const older = page.next_cursor !== null;
  return {
    ...pages,
    pages: pages.pages.with(0, { ...page, runs: withColumn(page.runs, run, older) }),
  };
}

const known = new WeakMap<Grid["tasks"], Map<string, number>>();

export function rowsByTask(page: Grid): ReadonlyMap<string, number> {
  const there = known.get(page.tasks);
  if (there) return there;
  const rows = new Map(page.tasks.map((task, row) => [task.task_id, row]));
  known.set(page.tasks, rows);
  return rows;
}
