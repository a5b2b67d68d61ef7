import type { GraphGroup, GraphTask } from "./collapse.ts";

/** Above so many boxes groups are closed until somebody opens them. */
export const FOLD_ABOVE = 60;

/**
 * Groups nobody wrote, for what stands flat in great number: tasks of one place which begin with
 * the same word and lie at the same depth. Such tasks never depend on each other, and arrows
 * between two such groups all point one way, so folding them makes no circle.
 */
export function folded(
  tasks: readonly GraphTask[],
  groups: readonly GraphGroup[],
): { tasks: GraphTask[]; groups: GraphGroup[] } {
  const depth = depths(tasks);
  const places = new Map<string, GraphTask[]>();
  for (const task of tasks) append(places, task.group ?? "", task);
  const moved = new Map<string, string>();
  const made: GraphGroup[] = [];
  for (const [place, within] of places) {
    if (within.length <= FOLD_ABOVE) continue;
    const alike = new Map<string, GraphTask[]>();
    for (const task of within)
      append(alike, `${depth.get(task.task_id)} ${firstWord(task.label)}`, task);
    for (const [key, members] of alike) {
      // A group that would only hold another is opened once, not twice.
      if (members.length < 3 || (place && members.length === within.length)) continue;
      const group_id = `${place}~${key}`;
      made.push({
        group_id,
        label: `${firstWord(members[0]?.label ?? "")}…`,
        parent: place || null,
      });
      for (const member of members) moved.set(member.task_id, group_id);
    }
  }
  return {
    tasks: tasks.map((task) => ({ ...task, group: moved.get(task.task_id) ?? task.group })),
    groups: [...groups, ...made],
  };
}

/** The groups open at first: all in a small graph, none in a large one. */
export function openAtFirst(
  tasks: readonly GraphTask[],
  groups: readonly GraphGroup[],
): ReadonlySet<string> {
  return new Set(tasks.length > FOLD_ABOVE ? [] : groups.map((group) => group.group_id));
}

/** The longest way to each task from the beginning. Upstream stands first in `tasks`. */
export function depths(tasks: readonly GraphTask[]): ReadonlyMap<string, number> {
  const depth = new Map<string, number>();
  for (const task of tasks) {
    let deepest = -1;
    for (const upstream of task.upstream) deepest = Math.max(deepest, depth.get(upstream) ?? -1);
    depth.set(task.task_id, deepest + 1);
  }
  return depth;
}

function firstWord(label: string): string {
  return label.split(/[_\-.\s\d]/, 1)[0] || label;
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
