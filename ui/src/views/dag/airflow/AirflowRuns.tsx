import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { airflowRuns } from "@/api/airflow.ts";
import type { AirflowRun } from "@/api/types.ts";
import { number } from "@/lib/count.ts";
import { minute } from "@/lib/time.ts";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { StateBadge } from "@/parts/State.tsx";
import { type Column, Table } from "@/parts/Table.tsx";
import { Elapsed } from "@/parts/Time.tsx";
import { Name } from "@/parts/Unbroken.tsx";
import styles from "./Airflow.module.css";
import { OneRun } from "./OneRun.tsx";

const PAGE = "/t/$team/dags/$dag/airflow";
const route = getRouteApi(PAGE);
const idOf = ({ run_id }: AirflowRun) => run_id;

/** What Airflow did before the DAG moved here: its runs, or the task instances of one. */
export function AirflowRuns() {
  const { dag } = route.useParams();
  const { of } = route.useSearch();
  return of ? <OneRun dag={dag} run={of} /> : <AllRuns dag={dag} />;
}

function AllRuns({ dag }: { dag: string }) {
  const found = useInfiniteQuery(airflowRuns(dag));
  if (found.isPending) return <SkeletonRows />;
  if (found.isError && !found.data)
    return <ErrorState error={found.error} what="The runs" retry={() => found.refetch()} />;
  if (found.data.length === 0)
    return (
      <EmptyState title="No runs of Airflow" command="headway import-runs airflow.cfg">
        <p>Runs that ended in Airflow appear here once they are imported.</p>
      </EmptyState>
    );
  return (
    <div className={styles.view}>
      <p className={styles.note}>
        Runs of this DAG in Airflow, before it moved here. They are kept to look up: logs and
        results stay in Airflow.
      </p>
      <Table
        label="Runs in Airflow"
        columns={COLUMNS}
        items={found.data}
        id={idOf}
        hasMore={found.hasNextPage && !found.isFetchingNextPage}
        more={found.fetchNextPage}
      />
    </div>
  );
}

export function At({ at }: { at: string | null | undefined }) {
  if (!at) return <span>–</span>;
  return (
    <time dateTime={at} title={at} className="tabular">
      {minute(at)}
    </time>
  );
}

const COLUMNS: readonly Column<AirflowRun>[] = [
  {
    key: "state",
    head: "State",
    width: "minmax(98px, 130px)",
    cell: (run) => <StateBadge state={run.state} />,
  },
  {
    key: "run",
    head: "Run in Airflow",
    width: "minmax(120px, 2fr)",
    wraps: true,
    cell: (run) => (
      <Link from={PAGE} to="." search={(before) => ({ ...before, of: run.run_id })}>
        <Name text={run.run_id} />
      </Link>
    ),
  },
  {
    key: "date",
    head: "Logical date",
    width: "minmax(136px, 160px)",
    secondary: 2,
    cell: (run) => <At at={run.logical_date} />,
  },
  {
    key: "started",
    head: "Started",
    width: "minmax(136px, 160px)",
    secondary: true,
    cell: (run) => <At at={run.started_at} />,
  },
  {
    key: "tasks",
    head: "Tasks",
    width: "72px",
    end: true,
    secondary: 3,
    cell: (run) => number(run.tasks),
  },
  {
    key: "duration",
    head: "Duration",
    width: "96px",
    end: true,
    cell: (run) => <Elapsed from={run.started_at ?? null} to={run.ended_at} />,
  },
];
