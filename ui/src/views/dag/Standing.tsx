import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { nextRun } from "@/api/queries.ts";
import type { DagDetail, RunBrief } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { type Standing as Stands, standing } from "@/lib/standing.ts";
import { stateWord } from "@/lib/states.ts";
import { minute } from "@/lib/time.ts";
import { RunLink } from "@/parts/links.tsx";
import { StateIcon } from "@/parts/State.tsx";
import { RelativeTime, Since } from "@/parts/Time.tsx";
import { Words as Reason } from "@/parts/Words.tsx";
import styles from "./DagFrame.module.css";

/** Is the data ready, since when, and if not, when: in words. */
export function Standing({ dag }: { dag: DagDetail }) {
  const now = standing(dag.recent ?? []);
  return (
    <p
      className={styles.standing}
      role="status"
      aria-label="Is the data ready?"
      data-awaits={startsOnData(dag)}
    >
      {now.newest && <StateIcon state={now.newest.state} />}
      <span>
        <Words now={now} /> <Next dag={dag} />
      </span>
    </p>
  );
}

/** No time brings its next run; what does is asked for, and comes later. */
function startsOnData({ schedule, next_run_at, paused_at }: DagDetail): boolean {
  return Boolean(schedule) && !next_run_at && !paused_at;
}

function Words({ now }: { now: Stands }): ReactNode {
  const { newest } = now;
  if (!newest) return <b>This DAG has not run yet.</b>;
  if (now.is === "ready") {
    return (
      <>
        <b>Ready</b> <Since at={newest.ended_at} />: the run of <Of run={newest} /> succeeded
        {newest.failed_instances > 0 &&
          `, with ${counted(newest.failed_instances, "failed task instance")}`}
        .
      </>
    );
  }
  if (now.is === "coming") {
    return (
      <>
        <b>Not ready yet</b>: the run of <Of run={newest} />{" "}
        {newest.started_at ? "is running" : "waits for its start"}
        {now.expected !== undefined && now.expected > Date.now() && (
          <>
            {" "}
            and usually ends <RelativeTime at={new Date(now.expected).toISOString()} />
          </>
        )}
        . <Before now={now} />
      </>
    );
  }
  return (
    <>
      <b>Not ready</b>: the run of <Of run={newest} /> {ended(newest.state)}{" "}
      <RelativeTime at={newest.ended_at} />. <Before now={now} />
    </>
  );
}

function ended(state: string): string {
  return state === "failed" ? "failed" : `was ${stateWord(state)}`;
}

function Before({ now: { good } }: { now: Stands }) {
  if (!good) return "No recent run succeeded.";
  return (
    <>
      The last good run is that of <Of run={good} />.
    </>
  );
}

function Next({ dag }: { dag: DagDetail }) {
  if (dag.paused_at) return "The DAG is paused, so its schedule starts no run.";
  if (startsOnData(dag)) return <Awaits dag={dag.dag_id} />;
  if (!dag.next_run_at) return null;
  return (
    <>
      The next run is for {minute(dag.next_run_at)} (<RelativeTime at={dag.next_run_at} />
      ).
    </>
  );
}

const TOLD = new Set(["awaits_assets", "awaits_partitions", "runs_continuously", "no_dates_left"]);

/** Which data the next run waits for, or what else brings it. */
function Awaits({ dag }: { dag: string }) {
  const next = useQuery(nextRun(dag)).data;
  return next?.why && TOLD.has(next.why.kind) && <Reason text={`Next run: ${next.reason}.`} />;
}

function Of({ run }: { run: RunBrief }) {
  return <RunLink run={run.run_id}>{minute(run.logical_date)}</RunLink>;
}
