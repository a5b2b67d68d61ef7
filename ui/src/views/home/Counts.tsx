import { Link } from "@tanstack/react-router";
import type { Overview } from "@/api/types.ts";
import { number } from "@/lib/count.ts";
import type { Within } from "@/lib/span.ts";
import type { RunState } from "@/lib/states.ts";
import { StateIcon } from "@/parts/State.tsx";
import { useTeam } from "@/state/session.ts";
import styles from "./Home.module.css";

/** The figures of the moment; each leads to its list. */
export function Counts({ home }: { home: Overview }) {
  const team = useTeam();
  const runs: [only: RunState, count: number, word: string, within?: Within][] = [
    ["running", home.runs.running, "running"],
    ["queued", home.runs.queued, "queued"],
    ["failed", home.runs.failed_24h, "failed in 24 h", "24h"],
    ["success", home.runs.success_24h, "succeeded in 24 h", "24h"],
  ];
  return (
    <div className={styles.counts}>
      {runs.map(([only, count, word, within]) => (
        <Link
          key={only}
          to="/t/$team/runs"
          params={{ team }}
          search={{ only, within }}
          data-none={count === 0}
        >
          <StateIcon state={only} />
          <b>{number(count)}</b> {word}
        </Link>
      ))}
      <Link to="/t/$team/dags" params={{ team }}>
        <b>{number(home.dags.total)}</b> DAGs
      </Link>
      {home.dags.paused > 0 && (
        <Link to="/t/$team/dags" params={{ team }} search={{ paused: "true" }}>
          <b>{number(home.dags.paused)}</b> paused
        </Link>
      )}
    </div>
  );
}
