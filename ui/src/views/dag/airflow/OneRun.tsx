import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { airflowRun } from "@/api/airflow.ts";
import type { AirflowRunDetail, AirflowTask } from "@/api/types.ts";
import { number } from "@/lib/count.ts";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { StateBadge } from "@/parts/State.tsx";
import { type Column, Table } from "@/parts/Table.tsx";
import { Duration, Elapsed } from "@/parts/Time.tsx";
import { Name } from "@/parts/Unbroken.tsx";
import styles from "./Airflow.module.css";
import { At } from "./AirflowRuns.tsx";

const PAGE = "/t/$team/dags/$dag/airflow";
const idOf = ({ task_id, map_index }: AirflowTask) => `${task_id} ${map_index}`;

/** A run that Airflow did, task by task. */
export function OneRun({ dag, run }: { dag: string; run: string }) {
  const found = useQuery(airflowRun(dag, run));
  return (
    <div className={styles.view}>
      <div className={styles.note}>
        <Link
          from={PAGE}
          to="."
          search={(before) => ({ ...before, of: undefined })}
          className={styles.back}
        >
          <ArrowLeft size={14} aria-hidden />
          All runs in Airflow
        </Link>
        <h2 className={styles.title}>
          <Name text={run} />
        </h2>
        {found.data && <Facts run={found.data} />}
      </div>
      {found.isPending && <SkeletonRows count={8} />}
      {found.isError && !found.data && (
        <ErrorState error={found.error} what="The run" retry={() => found.refetch()} />
      )}
      {found.data && (
        <Table label="Task instances" columns={COLUMNS} items={found.data.instances} id={idOf} />
      )}
    </div>
  );
}

function Facts({ run }: { run: AirflowRunDetail }) {
  return (
    <p className={styles.facts}>
      <StateBadge state={run.state} />
      <span>{run.run_type}</span>
      {run.logical_date && (
        <span>
          logical date <At at={run.logical_date} />
        </span>
      )}
      <span>
        took <Elapsed from={run.started_at ?? null} to={run.ended_at} />
      </span>
      {run.instances.length < run.tasks && (
        <span>
          {number(run.instances.length)} of {number(run.tasks)} task instances
        </span>
      )}
    </p>
  );
}

const COLUMNS: readonly Column<AirflowTask>[] = [
  {
    key: "task",
    head: "Task",
    width: "minmax(104px, 2fr)",
    wraps: true,
    cell: ({ task_id, map_index = -1 }) => (
      <Name text={map_index < 0 ? task_id : `${task_id}[${map_index}]`} />
    ),
  },
  {
    key: "state",
    head: "State",
    width: "minmax(112px, 150px)",
    cell: ({ state }) => <StateBadge state={state ?? "did not run"} />,
  },
  {
    key: "tries",
    head: "Tries",
    width: "56px",
    end: true,
    secondary: 2,
    cell: ({ tries = 0 }) => number(tries),
  },
  {
    key: "started",
    head: "Started",
    width: "minmax(136px, 160px)",
    secondary: true,
    cell: ({ started_at }) => <At at={started_at} />,
  },
  {
    key: "operator",
    head: "Operator",
    width: "minmax(110px, 1fr)",
    secondary: 3,
    cell: ({ operator }) => <span title={operator}>{operator}</span>,
  },
  {
    key: "took",
    head: "Duration",
    width: "96px",
    end: true,
    cell: ({ started_at, ended_at }) =>
      ended_at ? <Elapsed from={started_at ?? null} to={ended_at} /> : <Duration seconds={null} />,
  },
];
