import { ArrowDown } from "lucide-react";
import type { TaskDuration } from "@/api/types.ts";
import { number } from "@/lib/count.ts";
import { duration } from "@/lib/duration.ts";
import type { Column } from "@/parts/Table.tsx";
import styles from "./Durations.module.css";
import { Trend } from "./Trend.tsx";

export const SORTS = ["p50_s", "p95_s", "wait_p50_s", "trend_pct"] as const;
export type Sort = (typeof SORTS)[number];

/** The largest first; what is not known last. */
export function sorted(tasks: readonly TaskDuration[], by: Sort): TaskDuration[] {
  const value = (task: TaskDuration) => task[by] ?? Number.NEGATIVE_INFINITY;
  return [...tasks].sort((a, b) => value(b) - value(a));
}

export function columnsOf(
  sort: Sort,
  order: (sort: Sort) => void,
  choose: (task: TaskDuration) => void,
): Column<TaskDuration>[] {
  const head = (by: Sort, word: string) => (
    <button
      type="button"
      className={styles.head}
      aria-pressed={sort === by}
      onClick={() => order(by)}
    >
      {sort === by && <ArrowDown size={12} aria-hidden />}
      {word}
    </button>
  );
  return [
    {
      key: "task",
      head: "Task",
      width: "minmax(160px, 1fr)",
      cell: (task) => (
        <button
          type="button"
          className={styles.task}
          onClick={() => choose(task)}
          title={task.task_id}
        >
          {task.task_id}
        </button>
      ),
    },
    {
      key: "p50",
      head: head("p50_s", "Median"),
      width: "96px",
      end: true,
      cell: (task) => duration(task.p50_s),
    },
    {
      key: "p95",
      head: head("p95_s", "p95"),
      width: "104px",
      end: true,
      spare: true,
      cell: (task) => duration(task.p95_s),
    },
    {
      key: "wait",
      head: head("wait_p50_s", "Waits"),
      width: "96px",
      end: true,
      secondary: true,
      cell: (task) => duration(task.wait_p50_s),
    },
    {
      key: "count",
      head: "Runs",
      width: "72px",
      end: true,
      secondary: true,
      cell: (task) => number(task.count),
    },
    {
      key: "trend",
      head: head("trend_pct", "Trend"),
      width: "132px",
      end: true,
      secondary: true,
      cell: (task) => <Trend pct={task.trend_pct} />,
    },
  ];
}
