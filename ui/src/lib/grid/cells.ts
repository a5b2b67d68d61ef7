import { STATE_LETTERS } from "@/api/words.ts";
import { mostTelling, stateOfLetter } from "../states.ts";
import type { GroupRow, Row } from "./tree.ts";

const FAILED = STATE_LETTERS.failed;

/** What a run's column is painted from. */
export interface Column {
  run_id: string;
  cells: string;
  mapped: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

interface Known {
  state: string | null;
  counts: Readonly<Record<string, number>>;
}

// What a group shows is counted once for each column: a column that changes is another object.
const groups = new WeakMap<Column, Map<string, Known>>();

/** The state a cell shows; a group shows the one that tells most; null: the run has no such task. */
export function stateAt(row: Row, column: Column): string | null {
  if (row.kind === "task") return stateOfLetter(column.cells[row.index] ?? ".");
  return groupAt(row, column).state;
}

function groupAt(row: GroupRow, column: Column): Known {
  const known = groups.get(column) ?? new Map<string, Known>();
  groups.set(column, known);
  const there = known.get(row.id);
  if (there) return there;
  const counts: Record<string, number> = {};
  for (const task of row.tasks) {
    const state = stateOfLetter(column.cells[task] ?? ".");
    if (state) counts[state] = (counts[state] ?? 0) + 1;
  }
  const found = { state: mostTelling(counts), counts };
  known.set(row.id, found);
  return found;
}

/** How the instances of a mapped task, or the tasks of a group, are divided; null for one alone. */
export function countsAt(row: Row, column: Column): Readonly<Record<string, number>> | null {
  if (row.kind === "task") return column.mapped[String(row.index)] ?? null;
  return groupAt(row, column).counts;
}

/** How many items a run has of a mapped group: as many as instances of each of its tasks; null: not known yet. */
export function itemsIn(row: GroupRow, column: Column): number | null {
  const counts = row.tasks.map((task) => total(column.mapped[String(task)] ?? {}));
  return row.mapped ? Math.max(...counts) || null : null;
}

export function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** How many tasks of a run's column have a failed instance. */
export function failedIn(column: Column): number {
  let found = 0;
  for (const letter of column.cells) if (letter === FAILED) found += 1;
  return found;
}

export interface Slice {
  state: string;
  from: number;
  size: number;
}

/**
 * A stacked bar of `length` whole pixels, the most telling state first. No state that occurs
 * vanishes, and a failure dominates: one of 1,500 has half of the bar.
 */
export function stack(
  parts: readonly (readonly [state: string, count: number])[],
  length: number,
  least = 2,
): Slice[] {
  const sum = parts.reduce((all, [, count]) => all + count, 0);
  if (sum === 0) return [];
  const sizes = parts.map(([state, count]) =>
    Math.max(
      state === "failed" ? Math.ceil(length / 2) : least,
      Math.round((count / sum) * length),
    ),
  );
  const largest = sizes.indexOf(Math.max(...sizes));
  const over = sizes.reduce((all, size) => all + size, 0) - length;
  sizes[largest] = Math.max(least, (sizes[largest] ?? 0) - over);
  let from = 0;
  return parts.map(([state], at) => {
    const slice = { state, from, size: Math.max(0, Math.min(sizes[at] ?? 0, length - from)) };
    from += slice.size;
    return slice;
  });
}
