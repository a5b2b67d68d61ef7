import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { diagnosis } from "@/api/diagnosis.ts";
import { run as runQuery } from "@/api/queries.ts";
import type { Selection } from "@/lib/selection.ts";
import { isFinal } from "@/lib/states.ts";
import { minute } from "@/lib/time.ts";
import { Drawer } from "@/parts/Drawer.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { RunCounts } from "@/parts/links.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { StateBadge } from "@/parts/State.tsx";
import { Elapsed, RelativeTime } from "@/parts/Time.tsx";
import { Words } from "@/parts/Words.tsx";
import { useTeam } from "@/state/session.ts";
import { Blocked } from "../Blocked.tsx";
import { BlockedDags } from "../BlockedDags.tsx";
import { Compared } from "../Compared.tsx";
import { Errors } from "../Errors.tsx";
import { Progress } from "../Progress.tsx";
import { RunActions } from "../RunActions.tsx";
import styles from "./Drawer.module.css";

/** A run beside a view: what happened, and what now. The rest is on its own page. */
export function RunDrawer({
  run: runId,
  select,
  close,
}: {
  run: string;
  select: (next: Selection) => void;
  close: () => void;
}) {
  const team = useTeam();
  const found = useQuery(runQuery(runId));
  const said = useQuery(diagnosis(runId)).data;
  const run = found.data;
  return (
    <Drawer title={run ? `Run of ${minute(run.logical_date)}` : "Run"} close={close} below>
      {found.isPending && <SkeletonRows count={6} />}
      {found.isError && !run && (
        <ErrorState error={found.error} what="The run" retry={() => found.refetch()} />
      )}
      {run && (
        <div className={styles.top}>
          <p className={styles.standing}>
            <StateBadge state={run.state} failed={run.counts.failed} />
            <RelativeTime at={run.ended_at ?? run.started_at ?? run.created_at} />
            <Elapsed from={run.started_at} to={run.ended_at} />
            <Link className={styles.link} to="/t/$team/runs/$run" params={{ team, run: runId }}>
              Open the run
            </Link>
          </p>
          {said && (
            <p className={styles.why}>
              <Words text={said.headline} />
            </p>
          )}
          <div className={styles.actions}>
            <RunActions run={run} small />
          </div>
          {isFinal(run.state) ? <RunCounts run={run} /> : <Progress run={run} />}
          {said && said.errors.length > 0 && (
            <Errors errors={said.errors} run={run} select={select} />
          )}
          {said && said.blocked.length > 0 && <Blocked blocked={said.blocked} select={select} />}
          {said?.blocked_dags && said.blocked_dags.length > 0 && (
            <BlockedDags blocked={said.blocked_dags} />
          )}
          {said?.compared_to && <Compared run={runId} to={said.compared_to} />}
        </div>
      )}
    </Drawer>
  );
}
