import { letterOf, mostTelling } from "../states.ts";
import type { Column } from "./cells.ts";

/** All instances of one task of a run, counted. */
export interface Counted {
  task_id: string;
  mapped: boolean;
  counts: Readonly<Record<string, number>>;
}

/**
 * A run's column from the counts of its tasks, in the rows of a grid that did not know the run, or
 * not all of it; null when the run has a task that is in no row, so the grid itself has changed.
 */
export function cellsOf(
  tasks: readonly Counted[],
  rowOf: ReadonlyMap<string, number>,
): Pick<Column, "cells" | "mapped"> | null {
  const letters = new Array<string>(rowOf.size).fill(".");
  const mapped: Record<string, Readonly<Record<string, number>>> = {};
  for (const { task_id, mapped: many, counts } of tasks) {
    const row = rowOf.get(task_id);
    const state = mostTelling(counts);
    if (row === undefined) return null;
    letters[row] = (state && letterOf(state)) ?? ".";
    if (many && state) mapped[String(row)] = counts;
  }
  return { cells: letters.join(""), mapped };
}

interface Dated {
  run_id: string;
  logical_date: string;
}

/**
 * The runs with this one where it belongs, the newest last. A run older than all that are shown is
 * left out while there are `older` ones to read: it comes with them.
 */
export function withColumn<R extends Dated>(runs: readonly R[], run: R, older: boolean): R[] {
  const others = runs.filter((one) => one.run_id !== run.run_id);
  const at = others.findIndex((one) => compare(run, one) < 0);
  if (at < 0) return [...others, run];
  if (at === 0 && older && others.length === runs.length) return others;
  return [...others.slice(0, at), run, ...others.slice(at)];
}

/** As the server orders them: by date, those of one date by id, backwards. */
function compare(a: Dated, b: Dated): number {
  const apart = Date.parse(a.logical_date) - Date.parse(b.logical_date);
  if (apart !== 0) return apart;
  return a.run_id < b.run_id ? 1 : -1;
}
