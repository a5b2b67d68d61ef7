import type { Run } from "@/api/types.ts";
import type { Sort } from "@/lib/columns.ts";
import { aboutOf } from "@/lib/runAbout.ts";
import { compact } from "@/lib/time.ts";
import { DagLink, RunCounts, RunLink } from "@/parts/links.tsx";
import { StateBadge } from "@/parts/State.tsx";
import type { Column } from "@/parts/Table.tsx";
import { Elapsed, RelativeTime } from "@/parts/Time.tsx";
import styles from "./Runs.module.css";

const DAG: Column<Run> = {
  key: "dag",
  head: "DAG",
  width: "minmax(min(110px, 20cqw), 2fr)",
  cell: (run) => <DagLink dag={run.dag_id} />,
};

const BY_TIME: readonly Sort[] = [
  { by: "newest", down: true },
  { by: "oldest", down: false },
];
const LONGEST: readonly Sort[] = [
  { by: "longest", down: true },
  { by: "newest", down: true, other: true },
];

const COLUMNS: readonly Column<Run>[] = [
  {
    key: "state",
    head: "State",
    width: "minmax(98px, 130px)",
    cell: (run) => <StateBadge state={run.state} failed={run.counts.failed} />,
  },
  {
    key: "run",
    head: "Run",
    width: "minmax(106px, 118px)",
    cell: (run) => <RunLink run={run.run_id} />,
  },
  {
    key: "date",
    head: "Logical date",
    width: "minmax(118px, 150px)",
    secondary: true,
    cell: (run) => (
      <time dateTime={run.logical_date} title={run.logical_date} className="tabular">
        {compact(run.logical_date, Date.now())}
      </time>
    ),
  },
  {
    key: "trigger",
    head: "Trigger",
    width: "minmax(84px, 1fr)",
    secondary: 3,
    cell: (run) => <Trigger run={run} />,
  },
  {
    key: "tasks",
    head: "Tasks",
    width: "minmax(120px, 2fr)",
    secondary: true,
    cell: (run) => <RunCounts run={run} />,
  },
  {
    key: "duration",
    head: "Duration",
    width: "96px",
    end: true,
    secondary: true,
    sorts: LONGEST,
    cell: (run) => <Elapsed from={run.started_at} to={run.ended_at} />,
  },
  {
    key: "created",
    head: "Created",
    width: "92px",
    end: true,
    secondary: 2,
    cell: (run) => <RelativeTime at={run.created_at} />,
  },
];

/** What started it, and for what: a partition, assets, or what a callback is called for. */
function Trigger({ run }: { run: Run }) {
  const about = aboutOf(run);
  return (
    <span title={[run.created_by, about].filter(Boolean).join(": ")}>
      {run.trigger}
      {about && <span className={styles.about}> {about}</span>}
    </span>
  );
}

const SPARE = { secondary: false, spare: true };

/** Of one DAG the column of its name would say nothing; such a list is in the order of its dates, which it always has. */
export function columns(ofOneDag: boolean): readonly Column<Run>[] {
  const by = ofOneDag ? "date" : "created";
  const [state, run, ...rest] = COLUMNS.map((column) =>
    column.key === by ? { ...column, ...(ofOneDag && SPARE), sorts: BY_TIME } : column,
  ) as [Column<Run>, Column<Run>, ...Column<Run>[]];
  return ofOneDag ? [state, run, ...rest] : [state, DAG, run, ...rest];
}
