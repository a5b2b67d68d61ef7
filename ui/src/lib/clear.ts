import type { InstanceKey } from "@/api/types.ts";
import { counted, number } from "./count.ts";

export interface Group {
  task_id: string;
  count: number;
  /** `0–4, 7, 9 and 12 more`; null for a task that is not mapped. */
  indexes: string | null;
}

/** One row a task, in the order in which the tasks first come. */
export function grouped(keys: readonly InstanceKey[]): Group[] {
  const byTask = new Map<string, number[]>();
  for (const { task_id, map_index } of keys) {
    const indexes = byTask.get(task_id) ?? [];
    indexes.push(map_index);
    byTask.set(task_id, indexes);
  }
  return [...byTask].map(([task_id, indexes]) => ({
    task_id,
    count: indexes.length,
    indexes: indexes.every((index) => index < 0) ? null : ranges(indexes),
  }));
}

/** What a person agrees to: `1 task instance of 1 task will run again`. */
export function sentence(keys: readonly InstanceKey[], happens: string, none: string): string {
  if (keys.length === 0) return none;
  const tasks = new Set(keys.map((key) => key.task_id)).size;
  const of = tasks === keys.length ? "" : ` of ${counted(tasks, "task")}`;
  return `${counted(keys.length, "task instance")}${of} will ${happens}`;
}

const RANGES_MAX = 8;

/** `0–4, 7`: more than two in a row are a range. */
export function ranges(indexes: readonly number[]): string {
  const sorted = [...new Set(indexes)].filter((index) => index >= 0).sort((a, b) => a - b);
  const found: [first: number, last: number][] = [];
  for (const index of sorted) {
    const open = found.at(-1);
    if (open && open[1] === index - 1) open[1] = index;
    else found.push([index, index]);
  }
  const words = found.slice(0, RANGES_MAX).map(([first, last]) => {
    if (first === last) return number(first);
    return `${number(first)}${last === first + 1 ? ", " : "–"}${number(last)}`;
  });
  const left = found.slice(RANGES_MAX).reduce((sum, [first, last]) => sum + last - first + 1, 0);
  return left > 0 ? `${words.join(", ")} and ${number(left)} more` : words.join(", ");
}
