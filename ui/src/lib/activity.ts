import type { Hour } from "@/api/types.ts";

/** One bar of the last 24 hours, its parts as shares of the tallest: states, and `flawed` of what succeeded. */
export interface Column {
  hour: string;
  total: number;
  parts: { state: string; share: number }[];
}

export function columnsOf(hours: readonly Hour[]): Column[] {
  const totals = hours.map((hour) => hour.success + hour.failed + hour.cancelled);
  const most = Math.max(1, ...totals);
  return hours.map((hour, index) => ({
    hour: hour.hour,
    total: totals[index] ?? 0,
    parts: Object.entries({
      success: hour.success - hour.flawed,
      flawed: hour.flawed,
      cancelled: hour.cancelled,
      failed: hour.failed,
    })
      .filter(([, count]) => count > 0)
      .map(([state, count]) => ({ state, share: count / most })),
  }));
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
