import { Link } from "@tanstack/react-router";
import type { Backfill } from "@/api/types.ts";
import { number } from "@/lib/count.ts";
import { duration } from "@/lib/duration.ts";
import { runState } from "@/lib/states.ts";
import { days } from "@/lib/time.ts";
import { DagLink } from "@/parts/links.tsx";
import { Meter } from "@/parts/Meter.tsx";
import { StateCounts } from "@/parts/State.tsx";
import type { Column } from "@/parts/Table.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import { useTeam } from "@/state/session.ts";
import { named, who } from "../events/describe.ts";
import styles from "./Backfills.module.css";
import { CancelBackfill } from "./CancelBackfill.tsx";
import { PauseBackfill } from "./PauseBackfill.tsx";
import { leftOut } from "./planned.ts";

export const COLUMNS: readonly Column<Backfill>[] = [
  {
    key: "dag",
    head: "DAG",
    width: "minmax(96px, 2fr)",
    wraps: true,
    cell: (backfill) => (
      <span className={styles.named}>
        <DagLink dag={backfill.dag_id} />
        <span className={`tabular ${styles.span}`}>{days(backfill.first, backfill.last)}</span>
      </span>
    ),
  },
  {
    key: "dates",
    head: "Dates",
    width: "minmax(190px, 1.4fr)",
    secondary: true,
    cell: (backfill) => <span className="tabular">{days(backfill.first, backfill.last)}</span>,
  },
  {
    key: "progress",
    head: "Done",
    width: "minmax(140px, 2fr)",
    cell: (backfill) => (
      <span className={styles.progress}>
        <Meter wide used={backfill.done} of={backfill.total} label="Finished runs" />
        <span className="tabular">
          {number(backfill.done)} of {number(backfill.total)}
        </span>
        {backfill.paused_by && (
          <span className={styles.left}>Paused by {named(backfill.paused_by)}</span>
        )}
        {leftOut(backfill.left_out) && (
          <span className={styles.left}>{leftOut(backfill.left_out)}</span>
        )}
      </span>
    ),
  },
  {
    key: "runs",
    head: "Runs",
    width: "minmax(110px, 1.4fr)",
    secondary: true,
    cell: (backfill) => <Runs backfill={backfill} />,
  },
  {
    key: "eta",
    head: "Time left",
    width: "92px",
    end: true,
    secondary: true,
    cell: ({ eta_s, done, total, paused_at }) =>
      done >= total || paused_at ? "–" : <span className="tabular">{duration(eta_s)}</span>,
  },
  {
    key: "by",
    head: "By",
    width: "minmax(90px, 1fr)",
    secondary: true,
    cell: (backfill) => <span>{who(backfill.created_by)}</span>,
  },
  {
    key: "at",
    head: "Started",
    width: "92px",
    spare: true,
    end: true,
    cell: (backfill) => <RelativeTime at={backfill.created_at} />,
  },
  {
    key: "actions",
    head: <span className="sr-only">Actions</span>,
    width: "minmax(84px, 164px)",
    end: true,
    cell: (backfill) => (
      <span className={styles.actions}>
        <PauseBackfill backfill={backfill} />
        <CancelBackfill backfill={backfill} />
      </span>
    ),
  },
];

function Runs({ backfill }: { backfill: Backfill }) {
  const team = useTeam();
  return (
    <StateCounts
      counts={backfill.counts}
      within={(state, shown) => (
        <Link
          to="/t/$team/runs"
          params={{ team }}
          search={{ backfill: backfill.backfill_id, only: runState(state) }}
        >
          {shown}
        </Link>
      )}
    />
  );
}
