import { Link } from "@tanstack/react-router";
import { Play } from "lucide-react";
import type { DagSummary } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { between, duration } from "@/lib/duration.ts";
import { stateWord } from "@/lib/states.ts";
import { absolute } from "@/lib/time.ts";
import { buttonClass } from "@/parts/Button.tsx";
import { DagLink, RunLink } from "@/parts/links.tsx";
import { Sparkbar } from "@/parts/Sparkbar.tsx";
import { StateBadge, StateIcon } from "@/parts/State.tsx";
import { Switch } from "@/parts/Switch.tsx";
import type { Column } from "@/parts/Table.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import { useMay, useTeam } from "@/state/session.ts";
import { usePause } from "../dag/actions.ts";
import styles from "./DagList.module.css";

export const COLUMNS: readonly Column<DagSummary>[] = [
  {
    key: "on",
    head: <span className="sr-only">On</span>,
    width: "62px",
    secondary: true, // a phone has no room for it; the DAG's page has the button
    cell: (dag) => <On dag={dag} />,
  },
  {
    key: "dag",
    head: "DAG",
    width: "minmax(min(180px, 32cqw), 4fr)",
    sorts: [
      { by: "name", down: false },
      { by: "-name", down: true },
    ],
    cell: (dag) => <Name dag={dag} />,
  },
  {
    key: "owner",
    head: "Owner",
    width: "minmax(96px, 1.4fr)",
    secondary: 2,
    sorts: [
      { by: "owner", down: false },
      { by: "-owner", down: true },
    ],
    cell: (dag) => <span title={dag.owner}>{dag.owner || "–"}</span>,
  },
  {
    key: "schedule",
    head: "Schedule",
    width: "minmax(120px, 2fr)",
    secondary: true,
    cell: (dag) => <span title={texts(dag.schedule)}>{dag.schedule_words}</span>,
  },
  {
    key: "next",
    head: "Next",
    width: "96px",
    secondary: true,
    sorts: [
      { by: "next_run", down: false },
      { by: "-next_run", down: true },
    ],
    cell: (dag) =>
      dag.paused_at || !dag.next_run_at ? "–" : <RelativeTime at={dag.next_run_at} />,
  },
  {
    key: "last",
    head: "Last run",
    width: "minmax(100px, 118px)",
    cell: (dag) => <Last dag={dag} />,
  },
  {
    key: "recent",
    head: "Recent runs",
    width: "116px",
    secondary: 3,
    cell: (dag) => <Recent dag={dag} />,
  },
  {
    key: "ago",
    head: "Started",
    width: "96px",
    end: true,
    secondary: 4,
    sorts: [
      { by: "-last_run", down: true },
      { by: "last_run", down: false },
    ],
    cell: (dag) => <RelativeTime at={dag.last_run_at} />,
  },
  {
    key: "run",
    head: <span className="sr-only">Run</span>,
    width: "60px",
    cell: (dag) => <Run dag={dag} />,
  },
];

function On({ dag }: { dag: DagSummary }) {
  const mayPause = useMay("dag.pause");
  const pause = usePause(dag.dag_id);
  const on = !dag.paused_at;
  return (
    <Switch
      on={pause.isPending ? !pause.variables : on}
      label={`${dag.dag_id}: ${on ? "on" : "paused"}`}
      disabled={!mayPause || pause.isPending}
      onChange={(next) => pause.mutate(!next)}
    />
  );
}

function Name({ dag }: { dag: DagSummary }) {
  return (
    <span className={styles.name}>
      <DagLink dag={dag.dag_id} />
      {dag.import_error && (
        <span title={dag.import_error.message}>
          <StateIcon state="failed" size={14} label />
        </span>
      )}
      <span className={styles.tags}>
        {dag.tags.slice(0, 3).map((tag) => (
          <Tag key={tag} tag={tag} />
        ))}
      </span>
      <span className={styles.description}>{dag.description}</span>
    </span>
  );
}

function Tag({ tag }: { tag: string }) {
  const team = useTeam();
  return (
    <Link
      className={styles.tag}
      from="/t/$team/dags/"
      to="/t/$team/dags"
      params={{ team }}
      search={(before) => ({ ...before, tag })}
    >
      {tag}
    </Link>
  );
}

function Last({ dag }: { dag: DagSummary }) {
  const latest = dag.recent?.at(-1);
  if (!dag.last_run_state) return <span className={styles.never}>never ran</span>;
  const badge = <StateBadge state={dag.last_run_state} failed={latest?.failed_instances} />;
  if (!latest) return badge;
  return (
    <span title={latest.partition ? `Partition ${latest.partition}` : undefined}>
      <RunLink run={latest.run_id}>{badge}</RunLink>
    </span>
  );
}

function Recent({ dag }: { dag: DagSummary }) {
  const team = useTeam();
  const now = Date.now();
  const bars = (dag.recent ?? []).map((run) => {
    const seconds = between(run.started_at, run.ended_at, now);
    return {
      key: run.run_id,
      state: run.state,
      value: seconds,
      flawed: run.state === "success" && run.failed_instances > 0,
      title: `${stateWord(run.state)}${flawWords(run)}, ${duration(seconds)}, ${run.partition ?? absolute(run.logical_date)}`,
    };
  });
  if (bars.length === 0) return null;
  return (
    <Link
      className={styles.recent}
      to="/t/$team/dags/$dag/runs"
      params={{ team, dag: dag.dag_id }}
      aria-label={`Runs of ${dag.dag_id}`}
      preload={false}
    >
      <Sparkbar bars={bars} />
    </Link>
  );
}

function flawWords({ state, failed_instances }: { state: string; failed_instances: number }) {
  return state === "success" && failed_instances > 0
    ? ` with ${counted(failed_instances, "failed task instance")}`
    : "";
}

/** A schedule exactly, of whatever kind: the texts that the spec keeps of it. */
function texts(schedule: DagSummary["schedule"]): string | undefined {
  const kept = Object.values(schedule ?? {}).filter((value) => typeof value === "string");
  return kept.join(" ") || undefined;
}

function Run({ dag }: { dag: DagSummary }) {
  const team = useTeam();
  if (!useMay("run.trigger")) return null;
  return (
    <Link
      to="/t/$team/dags/$dag/run"
      params={{ team, dag: dag.dag_id }}
      className={buttonClass({ look: "quiet", small: true }, true)}
      aria-label={`Run ${dag.dag_id}`}
      title={`Run ${dag.dag_id}`}
    >
      <Play size={14} aria-hidden />
    </Link>
  );
}
