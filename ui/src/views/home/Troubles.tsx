import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { BrokenFile, Overview } from "@/api/types.ts";
import { instanceName } from "@/lib/instances.ts";
import { DagLink, RunLink } from "@/parts/links.tsx";
import { Card } from "@/parts/Page.tsx";
import { Flaw, StateIcon } from "@/parts/State.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import { Words } from "@/parts/Words.tsx";
import { useTeam } from "@/state/session.ts";
import styles from "./Home.module.css";

/** DAGs whose latest runs failed: what, why, since when. */
export function Failed({ runs }: { runs: Overview["failed"] }) {
  const team = useTeam();
  if (runs.length === 0) return null;
  return (
    <Card
      title="Failing"
      link={
        <Link to="/t/$team/runs" params={{ team }} search={{ only: "failed", within: "24h" }}>
          Failed runs of 24 h
        </Link>
      }
    >
      <ul className={styles.list}>
        {runs.map((run) => (
          <RunRow key={run.run_id} run={run} mark={<StateIcon state="failed" />}>
            {run.count > 1 && (
              <>
                {" · "}
                <Link
                  to="/t/$team/runs"
                  params={{ team }}
                  search={{ dag: run.dag_id, only: "failed", within: "24h" }}
                >
                  {run.count} failed in 24 h
                </Link>
              </>
            )}
          </RunRow>
        ))}
      </ul>
    </Card>
  );
}

/** A run with its DAG, what it says of itself, and when. */
function RunRow({
  run,
  mark,
  children,
}: {
  run: Overview["failed"][number] | Overview["flawed"][number];
  mark: ReactNode;
  children?: ReactNode;
}) {
  return (
    <li>
      {mark}
      <span className={styles.what}>
        <DagLink dag={run.dag_id} />
        <span className={styles.why}>
          <RunLink run={run.run_id}>
            <Words text={run.headline} />
          </RunLink>
          {children}
        </span>
      </span>
      <span className={styles.when}>
        <RelativeTime at={run.ended_at ?? run.started_at} />
      </span>
    </li>
  );
}

/** DAGs whose latest run succeeded although something in it failed. */
export function Flawed({ runs }: { runs: Overview["flawed"] }) {
  if (runs.length === 0) return null;
  return (
    <Card title="Succeeded with failed tasks">
      <ul className={styles.list}>
        {runs.map((run) => (
          <RunRow key={run.run_id} run={run} mark={<Flaw failed={run.failed_instances} />} />
        ))}
      </ul>
    </Card>
  );
}

export function BrokenFiles({ errors }: { errors: readonly BrokenFile[] }) {
  const team = useTeam();
  if (errors.length === 0) return null;
  return (
    <Card
      title="Files that failed to load"
      link={
        <Link to="/t/$team/import-errors" params={{ team }}>
          All
        </Link>
      }
    >
      <ul className={styles.list}>
        {errors.slice(0, 5).map((error) => (
          <li key={error.file}>
            <StateIcon state="failed" />
            <span className={styles.what}>
              <code>
                {error.file}
                {error.line !== null && `:${error.line}`}
              </code>
              <span className={styles.why}>{error.message.split("\n")[0]}</span>
            </span>
            <span className={styles.when}>
              <RelativeTime at={error.since} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** A fire of the timetable has passed and nothing started. */
export function Late({ dags }: { dags: Overview["late"] }) {
  if (dags.length === 0) return null;
  return (
    <Card title="Late">
      <ul className={styles.list}>
        {dags.map((dag) => (
          <li key={dag.dag_id}>
            <StateIcon state="up_for_retry" />
            <span className={styles.what}>
              <DagLink dag={dag.dag_id} />
              <span className={styles.why}>
                <Words text={dag.reason} />
              </span>
            </span>
            <span className={styles.when}>
              due <RelativeTime at={dag.expected_at} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** What has been waiting longest for its turn, and for what. */
export function Waiting({ tasks }: { tasks: Overview["waiting"] }) {
  if (tasks.length === 0) return null;
  return (
    <Card title="Waiting longest">
      <ul className={styles.list}>
        {tasks.map((task) => (
          <li key={`${task.run_id} ${task.task_id} ${task.map_index}`}>
            <StateIcon state="ready" />
            <span className={styles.what}>
              <RunLink run={task.run_id}>
                {task.dag_id} · {instanceName(task)}
              </RunLink>
              <span className={styles.why}>
                <Words text={task.reason} />
              </span>
            </span>
            <span className={styles.when}>
              <RelativeTime at={task.since} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
