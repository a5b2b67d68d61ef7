import { Link } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import type { RunTask } from "@/api/types.ts";
import { counted, number } from "@/lib/count.ts";
import { duration } from "@/lib/duration.ts";
import { type Remedy, remedyOf, withoutCommand } from "@/lib/remedy.ts";
import type { Selection } from "@/lib/selection.ts";
import { mostTelling } from "@/lib/states.ts";
import { worstFirst } from "@/lib/tasks.ts";
import { Button } from "@/parts/Button.tsx";
import { Card } from "@/parts/Page.tsx";
import { StateBadge, StateCounts, StateIcon } from "@/parts/State.tsx";
import { type Column, Table } from "@/parts/Table.tsx";
import { Duration, Elapsed, RelativeTime, Since } from "@/parts/Time.tsx";
import { Name } from "@/parts/Unbroken.tsx";
import { Words } from "@/parts/Words.tsx";
import { RemedyButton } from "../slots/Stuck.tsx";
import styles from "./RunPage.module.css";

const RUN = "/t/$team/runs/$run";
const NATURAL_MAX = 40; // beyond it the table scrolls by itself, and only what is in sight is drawn

/** The tasks of the run, failures first, then upstream first; each leads to its details. */
export function TaskTable({
  tasks,
  only,
  select,
}: {
  tasks: readonly RunTask[];
  only: string | undefined;
  select: (next: Selection) => void;
}) {
  const columns = useMemo(() => columnsFor(select), [select]);
  const shown = worstFirst(only ? tasks.filter((task) => task.counts[only]) : tasks);
  const natural = shown.length <= NATURAL_MAX;
  return (
    <Card title="Tasks" link={only && <Only state={only} shown={shown.length} of={tasks.length} />}>
      {shown.length === 0 && <p className={styles.none}>No task has an instance in this state.</p>}
      <div className={natural ? undefined : styles.tall}>
        <Table
          label="Tasks"
          columns={columns}
          items={shown}
          id={(task) => task.task_id}
          natural={natural}
        />
      </div>
    </Card>
  );
}

/** That not all are shown, and the way back to all. */
function Only({ state, shown, of }: { state: string; shown: number; of: number }) {
  return (
    <span className={styles.only}>
      <StateBadge state={state} />
      {number(shown)} of {number(of)}
      <Link from={RUN} to="." search={(before) => ({ ...before, only: undefined })}>
        Show all
      </Link>
    </span>
  );
}

/** Each count leads to the instances that it counts. */
function Instances({ task }: { task: RunTask }) {
  const within = (state: string, shown: ReactNode) => (
    <Link
      from={RUN}
      to="."
      search={({ only }) => ({ only, task: task.task_id, state })}
      resetScroll={false}
    >
      {shown}
    </Link>
  );
  return <StateCounts counts={task.counts} within={within} />;
}

const TOLD_S = 1; // what waited for less waited for nothing

/** How long it worked, and beside it how long it waited for slots, agents and retries. */
function Took({ task }: { task: RunTask }) {
  if (!task.ended_at) return <Elapsed from={task.started_at} to={null} />;
  const { worked_s, waited_s } = task;
  return (
    <span className={styles.took}>
      <Duration seconds={worked_s ?? task.duration_s} />
      {(waited_s ?? 0) >= TOLD_S && (
        <span className={styles.waited} title="Waited for slots, agents and retries">
          + {duration(waited_s)} wait
        </span>
      )}
    </span>
  );
}

/** What holds it or ended it; that something runs is its state, no reason. */
function whyOf({ blocked_reason, reason, counts }: RunTask): string {
  return blocked_reason ?? (mostTelling(counts) === "running" ? "" : (reason ?? ""));
}

/** What holds it, since when, and what lets it run. */
function Why({ task }: { task: RunTask }) {
  const remedy = remedyFor(task);
  return (
    <>
      <Words text={withoutCommand(whyOf(task), remedy)} />
      {task.blocked_reason && task.waits_since && (
        <>
          {", "}
          <Since at={task.waits_since} />
        </>
      )}{" "}
      <RemedyButton remedy={remedy} />
    </>
  );
}

function remedyFor({ blocked_reason, why }: RunTask): Remedy {
  return blocked_reason && why ? remedyOf(why) : null;
}

function columnsFor(select: (next: Selection) => void): readonly Column<RunTask>[] {
  return [
    {
      key: "task",
      head: "Task",
      width: "minmax(112px, 1.2fr)",
      wraps: true,
      cell: (task, isNarrow) => (
        <span className={styles.task}>
          <Button small look="quiet" flush onClick={() => select({ task: task.task_id })}>
            <StateIcon state={mostTelling(task.counts) ?? "waiting"} size={14} label />
            <Name text={task.task_id} />
            {task.setup && <span className={styles.role}>setup</span>}
            {task.teardown && <span className={styles.role}>teardown</span>}
          </Button>
          {isNarrow && task.blocked_reason && (
            <span className={styles.held}>
              <Why task={task} />
            </span>
          )}
        </span>
      ),
    },
    {
      key: "counts",
      head: "Instances",
      width: "minmax(76px, 0.8fr)",
      cell: (task) => <Instances task={task} />,
    },
    {
      key: "why",
      head: "Why",
      width: "minmax(120px, 3fr)",
      secondary: true,
      wraps: true,
      cell: (task) => (
        <span className={styles.reason} title={whyOf(task)}>
          {task.retry_at && !task.counts.failed && (
            <>
              Retries <RelativeTime at={task.retry_at} />, attempt {task.failures + 1} of{" "}
              {task.retries + 1}:{" "}
            </>
          )}
          <Why task={task} />
          {task.retry_at && !!task.counts.failed && (
            <>
              {"; "}
              {counted(task.counts.up_for_retry ?? 0, "other instance")} to be retried,{" "}
              <RelativeTime at={task.retry_at} />
            </>
          )}
        </span>
      ),
    },
    {
      key: "took",
      head: "Took",
      width: "96px",
      end: true,
      cell: (task) => <Took task={task} />,
    },
  ];
}
