import type { FoundLine } from "@/api/types.ts";

export interface FoundLog {
  task: string;
  map: number;
  attempt: number;
  lines: FoundLine[];
}

export interface FoundRun {
  run: string;
  dag: string | undefined;
  date: string | undefined;
  logs: FoundLog[];
}

/** By run and attempt, in the order in which they were found. */
export function grouped(found: readonly FoundLine[]): FoundRun[] {
  const runs: FoundRun[] = [];
  for (const line of found) {
    let run = runs.at(-1);
    if (run?.run !== line.run_id) {
      run = { run: line.run_id, dag: line.dag_id, date: line.logical_date, logs: [] };
      runs.push(run);
    }
    let log = run.logs.at(-1);
    if (!log || !isOf(log, line)) {
      log = { task: line.task_id, map: line.map_index, attempt: line.attempt, lines: [] };
      run.logs.push(log);
    }
    log.lines.push(line);
  }
  return runs;
}

function isOf(log: FoundLog, line: FoundLine): boolean {
  const same = log.task === line.task_id && log.map === line.map_index;
  return same && log.attempt === line.attempt;
}
