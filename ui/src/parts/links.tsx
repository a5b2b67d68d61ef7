import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTeam } from "@/state/session.ts";
import styles from "./links.module.css";

/** To a DAG, in the view that shows it first. */
export function DagLink({ dag, children }: { dag: string; children?: ReactNode }) {
  const team = useTeam();
  return (
    <Link className={styles.link} to="/t/$team/dags/$dag" params={{ team, dag }} title={dag}>
      {children ?? dag}
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
