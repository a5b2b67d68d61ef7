import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Run } from "@/api/types.ts";
import { nameOf } from "@/lib/assets.ts";
import { useTeam } from "@/state/session.ts";
import styles from "./links.module.css";
import { StateCounts } from "./State.tsx";

/** To a DAG, in the view that shows it first. */
export function DagLink({ dag, children }: { dag: string; children?: ReactNode }) {
  const team = useTeam();
  return (
    <Link className={styles.link} to="/t/$team/dags/$dag" params={{ team, dag }} title={dag}>
      {children ?? dag}
    </Link>
  );
}

export function AssetLink({ asset }: { asset: string }) {
  const team = useTeam();
  return (
    <Link
      className={styles.link}
      to="/t/$team/assets/detail"
      params={{ team }}
      search={{ asset }}
      title={asset}
    >
      {nameOf(asset)}
    </Link>
  );
}

export function RunLink({ run, children }: { run: string; children?: ReactNode }) {
  const team = useTeam();
  return (
    <Link className={styles.link} to="/t/$team/runs/$run" params={{ team, run }} title={run}>
      {children ?? <code>{run}</code>}
    </Link>
  );
}

/** How many task instances are in which state; each leads to the run's tasks of that state. */
export function RunCounts({ run }: { run: Pick<Run, "run_id" | "counts"> }) {
  const team = useTeam();
  return (
    <StateCounts
      counts={run.counts}
      within={(state, shown) => (
        <Link to="/t/$team/runs/$run" params={{ team, run: run.run_id }} search={{ only: state }}>
          {shown}
        </Link>
      )}
    />
  );
}
