import type { Hour } from "@/api/types.ts";

type Counts = [state: string, count: number][];

/** One bar of the last 24 hours, its parts as shares of the tallest: states, and `flawed` of what succeeded. */
export interface Column {
  hour: string;
  counts: Counts;
  parts: { state: string; share: number }[];
}

export function columnsOf(hours: readonly Hour[]): Column[] {
  const counts = hours.map((hour) => countsOf(hour));
  const totals = counts.map((each) => each.reduce((sum, [, count]) => sum + count, 0));
  const most = Math.max(1, ...totals);
  return hours.map(({ hour }, at) => {
    const found = counts[at] ?? [];
    const parts = found.map(([state, count]) => ({ state, share: count / most }));
    return { hour, counts: found, parts };
  });
}

/** How many runs ended how, of all hours. */
export function totalsOf(hours: readonly Hour[]): Counts {
  const sums = new Map<string, number>();
  for (const hour of hours)
    for (const [state, count] of everyCount(hour)) sums.set(state, (sums.get(state) ?? 0) + count);
  return [...sums].filter(([, count]) => count > 0);
}

const countsOf = (hour: Hour) => everyCount(hour).filter(([, count]) => count > 0);

function everyCount(hour: Hour): Counts {
  return [
    ["success", hour.success - hour.flawed],
    ["flawed", hour.flawed],
    ["skipped", hour.skipped],
    ["cancelled", hour.cancelled],
    ["failed", hour.failed],
  ];
}

export function headline(counts: {
  failing: number;
  stuck: number;
  late: number;
  broken: number;
  unhealthy: number;
}): string {
  const troubles: string[] = [];
  if (counts.unhealthy > 0) troubles.push("part of Headway is down");
  if (counts.failing > 0) troubles.push(`${dags(counts.failing)} failing`);
  if (counts.stuck > 0)
    troubles.push(counts.stuck === 1 ? "a task cannot run" : `${counts.stuck} tasks cannot run`);
  if (counts.late > 0) troubles.push(`${dags(counts.late)} late`);
  if (counts.broken > 0)
    troubles.push(`${counts.broken} broken file${counts.broken > 1 ? "s" : ""}`);
  if (troubles.length === 0) return "Everything is running normally";
  const text = troubles.join(", ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function dags(count: number): string {
  return count === 1 ? "1 DAG is" : `${count} DAGs are`;
}
