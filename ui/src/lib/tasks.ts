import { mostTelling } from "./states.ts";

// What a person may have to act on, the worst first. All else stays in its order.
const TROUBLED = ["failed", "up_for_retry", "upstream_failed", "cancelled"];

interface Counted {
  counts: Readonly<Record<string, number>>;
}

/** Failures first; the rest upstream first, as they came. */
export function worstFirst<T extends Counted>(tasks: readonly T[]): T[] {
  const rank = ({ counts }: T) => {
    const at = TROUBLED.indexOf(mostTelling(counts) ?? "");
    return at < 0 ? TROUBLED.length : at;
  };
  return tasks.toSorted((a, b) => rank(a) - rank(b));
}

export interface Grouped {
  name: string;
  tasks: string[];
}

/** Tasks by the outermost group that they are in; one alone under its own name. */
export function byGroup(taskIds: readonly string[]): Grouped[] {
  const groups = new Map<string, string[]>();
  for (const id of taskIds) {
    const [group = id] = id.split(".", 1);
    groups.set(group, [...(groups.get(group) ?? []), id]);
  }
  return [...groups].map(([name, tasks]) => ({
    name: tasks.length === 1 ? (tasks[0] ?? name) : name,
    tasks,
  }));
}
