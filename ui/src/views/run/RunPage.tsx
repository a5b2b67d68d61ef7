import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { run as runQuery } from "@/api/queries.ts";
import type { Run } from "@/api/types.ts";
import { type Selection, selectionOf } from "@/lib/selection.ts";
import { absolute, minute } from "@/lib/time.ts";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { DagLink } from "@/parts/links.tsx";
import { Page } from "@/parts/Page.tsx";
import { Skeleton, SkeletonRows } from "@/parts/Skeleton.tsx";
import { StateBadge } from "@/parts/State.tsx";
import { Elapsed, RelativeTime } from "@/parts/Time.tsx";
import { useLive } from "@/state/live.ts";
import { GroupDrawer } from "./drawer/GroupDrawer.tsx";
import { InstanceDrawer } from "./drawer/InstanceDrawer.tsx";
import { RunActions } from "./RunActions.tsx";
import { RunBody } from "./RunBody.tsx";
import styles from "./RunPage.module.css";
import { RunTabs } from "./RunTabs.tsx";
import { useRunKeys } from "./useRunKeys.ts";

/** What happened in a run, and what now. */
export function RunPage() {
  const { run: runId } = useParams({ from: "/t/$team/runs/$run" });
  const selection = useSearch({ from: "/t/$team/runs/$run" });
  const select = useSelect();
  const found = useQuery(runQuery(runId));
  const run = found.data;
  const id = run?.run_id ?? runId; // the URL may hold a prefix
  useLive({ run_id: id });
  useRunKeys(id, selection, select);
  if (found.isError && !run) {
    return <ErrorState error={found.error} what="The run" retry={() => found.refetch()} />;
  }
  return (
    <Page
      title={run ? `${run.dag_id} ${runId}` : runId}
      heading={run ? <Heading run={run} /> : <Skeleton width={320} height={20} />}
      note={run ? <Facts run={run} /> : <Skeleton width={240} height={14} />}
      actions={run && <RunActions run={run} />}
      loading={!run}
    >
      {run && <RunTabs run={run} />}
      <div key={run ? "run" : "loading"} className={styles.view}>
        {run ? (
          <RunBody run={run} only={selection.only} select={select} />
        ) : (
          <SkeletonRows count={12} />
        )}
        {run && selection.group && (
          <GroupDrawer run={id} group={selection.group} selection={selection} select={select} />
        )}
        {run && selection.task && (
          <InstanceDrawer run={id} task={selection.task} selection={selection} select={select} />
        )}
      </div>
    </Page>
  );
}

function Heading({ run }: { run: Run }) {
  return (
    <span className={styles.heading}>
      <DagLink dag={run.dag_id} />
      <time dateTime={run.logical_date} title={absolute(run.logical_date)}>
        {minute(run.logical_date)}
      </time>
      <StateBadge state={run.state} failed={run.counts.failed} />
    </span>
  );
}

function Facts({ run }: { run: Run }) {
  return (
    <span className={styles.facts}>
      <span>{run.trigger}</span>
      {run.started_at ? (
        <span>
          started <RelativeTime at={run.started_at} />
        </span>
      ) : (
        <span>
          created <RelativeTime at={run.created_at} />
        </span>
      )}
      {run.started_at && (
        <span>
          {run.ended_at ? "took" : "for"} <Elapsed from={run.started_at} to={run.ended_at} />
        </span>
      )}
      <span>version {run.version}</span>
      <code>{run.run_id}</code>
    </span>
  );
}

/** Change what is selected by changing the URL. The run is in its path. */
function useSelect(): (next: Selection) => void {
  const navigate = useNavigate({ from: "/t/$team/runs/$run" });
  return useCallback(
    ({ run: _run, ...next }: Selection) =>
      navigate({
        search: ({ only }) => ({ ...selectionOf({ ...next }), only }),
        resetScroll: false,
      }),
    [navigate],
  );
}
