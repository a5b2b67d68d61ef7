import { useMemo } from "react";
import type { RunTask } from "@/api/runTasks.ts";
import type { Selection } from "@/lib/selection.ts";
import { mostTelling } from "@/lib/states.ts";
import { Button } from "@/parts/Button.tsx";
import { Card } from "@/parts/Page.tsx";
import { StateCounts, StateIcon } from "@/parts/State.tsx";
import { type Column, Table } from "@/parts/Table.tsx";
import { Duration, Elapsed } from "@/parts/Time.tsx";
import styles from "./RunPage.module.css";
import { Words } from "./Words.tsx";

const NATURAL_MAX = 40; // beyond it the table scrolls by itself, and only what is in sight is drawn

/** The tasks of the run, upstream first; each leads to its details. */
export function TaskTable({
  tasks,
  select,
}: {
  tasks: readonly RunTask[];
  select: (next: Selection) => void;
}) {
  const columns = useMemo(() => columnsFor(select), [select]);
  const natural = tasks.length <= NATURAL_MAX;
  return (
    <Card title="Tasks">
      <div className={natural ? undefined : styles.tall}>
        <Table
          label="Tasks"
          columns={columns}
          items={tasks}
          id={(task) => task.task_id}
          natural={natural}
        />
      </div>
    </Card>
  );
}

function columnsFor(select: (next: Selection) => void): readonly Column<RunTask>[] {
  return [
    {
      key: "task",
      head: "Task",
      width: "minmax(160px, 2fr)",
      cell: (task) => (
        <Button small look="quiet" onClick={() => select({ task: task.task_id })}>
          <StateIcon state={mostTelling(task.counts) ?? "waiting"} size={14} label />
          {task.task_id}
        </Button>
      ),
    },
    {
      key: "counts",
      head: "Instances",
      width: "minmax(110px, 1fr)",
      cell: (task) => <StateCounts counts={task.counts} />,
    },
    {
      key: "why",
      head: "Why",
      width: "minmax(120px, 2fr)",
      secondary: true,
      cell: (task) => (
        <span className={styles.reason}>
          <Words text={task.blocked_reason ?? task.reason ?? ""} />
        </span>
      ),
    },
    {
      key: "took",
      head: "Took",
      width: "88px",
      end: true,
      cell: (task) =>
        task.duration_s != null && task.ended_at ? (
          <Duration seconds={task.duration_s} />
        ) : (
          <Elapsed from={task.started_at} to={task.ended_at} />
        ),
    },
  ];
}
