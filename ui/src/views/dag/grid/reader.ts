import type { QueryClient } from "@tanstack/react-query";
import { run as runQuery } from "@/api/queries.ts";
import { runTasks } from "@/api/runTasks.ts";
import type { GridRun, Run, RunTask } from "@/api/types.ts";
import { cellsOf } from "@/lib/grid/column.ts";
import { Paced } from "@/lib/paced.ts";
import { type Pages, rowsByTask, withNewRun, withRun } from "./stored.ts";

const MOST = 4; // when more runs than that have changed, the grid is less to read than they are

/** Reads single runs anew and puts them into the grid. */
export class GridReader {
  private readonly wanted = new Paced<string>((runs) => this.read(runs));
  private readonly reading = new Set<string>();

  constructor(
    private readonly queries: QueryClient,
    private readonly dag: string,
  ) {}

  want(runId: string): void {
    this.wanted.want(runId);
  }

  /** A change that comes while its run is being read may be newer than the answer: read it again. */
  heard(runId: string): void {
    if (this.reading.has(runId)) this.want(runId);
  }

  stop(): void {
    this.wanted.stop();
  }

  private read(runs: readonly string[]): void {
    if (runs.length > MOST) this.all();
    else for (const runId of runs) void this.one(runId);
  }

  private async one(runId: string): Promise<void> {
    this.reading.add(runId);
    try {
      const [run, tasks] = await Promise.all([
        this.queries.fetchQuery({ ...runQuery(runId), staleTime: 0 }),
        this.queries.fetchQuery({ ...runTasks(runId), staleTime: 0 }),
      ]);
      this.put(run, tasks);
    } catch {
      this.all(); // the run is gone, or the server: the grid's own query says which
    } finally {
      this.reading.delete(runId);
    }
  }

  private put(run: Run, tasks: readonly RunTask[]): void {
    const pages = this.queries.getQueryData<Pages>(["grid", this.dag]);
    if (!pages) return;
    const holds = pages.pages.findIndex((page) =>
      page.runs.some((one) => one.run_id === run.run_id),
    );
    const page = pages.pages[Math.max(0, holds)];
    const cells = page && cellsOf(tasks, rowsByTask(page));
    if (!cells) {
      this.all(); // a task without a row: the grid has others now
      return;
    }
    const column: GridRun = { ...columnOf(run), ...cells };
    this.queries.setQueryData<Pages>(
      ["grid", this.dag],
      holds < 0 ? withNewRun(pages, column) : withRun(pages, holds, run.run_id, () => column),
    );
  }

  private all(): void {
    void this.queries.invalidateQueries({ queryKey: ["grid", this.dag] });
  }
}

function columnOf(run: Run): Omit<GridRun, "cells" | "mapped"> {
  const { run_id, state, trigger, logical_date, created_at, started_at, ended_at } = run;
  const { version, backfill_id, note } = run;
  return {
    run_id,
    state,
    trigger,
    logical_date,
    created_at,
    started_at,
    ended_at,
    version,
    backfill_id,
    note,
  };
}
