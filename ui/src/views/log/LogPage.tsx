import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { instance as instanceQuery } from "@/api/instances.ts";
import type { TaskInstanceDetail } from "@/api/types.ts";
import { strip } from "@/lib/selection.ts";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { DagLink, RunLink } from "@/parts/links.tsx";
import { Page } from "@/parts/Page.tsx";
import { StateBadge, StateIcon } from "@/parts/State.tsx";
import { Tabs, tabClass } from "@/parts/Tabs.tsx";
import { Elapsed } from "@/parts/Time.tsx";
import { useLive } from "@/state/live.ts";
import type { LogChoices } from "./choices.ts";
import styles from "./LogPage.module.css";
import { LogPanel } from "./LogPanel.tsx";

const FROM = "/t/$team/runs/$run/log";

/** One log, on all of the page; which, and what of it, is in the URL. */
export function LogPage() {
  const { run } = useParams({ from: FROM });
  const { task = "", map = -1, try: chosen, ...choices } = useSearch({ from: FROM });
  const navigate = useNavigate({ from: FROM });
  const found = useQuery({ ...instanceQuery(run, task, map), enabled: task !== "" });
  useLive({ run_id: found.data?.run_id ?? run });
  const choose = useCallback(
    (more: Partial<LogChoices>) =>
      navigate({
        search: (before) => strip({ ...before, ...more }),
        replace: true,
        resetScroll: false,
      }),
    [navigate],
  );
  const detail = found.data;
  const attempt = chosen ?? detail?.history[0]?.number;
  return (
    <Page
      title={`${task}${map < 0 ? "" : `[${map}]`}`}
      heading={<Heading run={run} task={task} map={map} detail={detail} />}
      note={
        detail && (
          <span className={styles.trail}>
            <DagLink dag={detail.dag_id} /> <RunLink run={detail.run_id} />
          </span>
        )
      }
    >
      {found.isError && !detail && (
        <ErrorState error={found.error} what="The log" retry={() => found.refetch()} />
      )}
      {detail && <AttemptTabs run={run} detail={detail} shown={attempt} />}
      {detail && attempt === undefined && (
        <EmptyState title="Not started yet">
          <p>The task’s output will appear here when it starts.</p>
        </EmptyState>
      )}
      {detail && attempt !== undefined && (
        <div className={styles.panel}>
          <LogPanel
            key={attempt}
            log={{ run: detail.run_id, task, map, attempt }}
            choices={choices}
            choose={choose}
          />
        </div>
      )}
    </Page>
  );
}

function Heading({
  run,
  task,
  map,
  detail,
}: {
  run: string;
  task: string;
  map: number;
  detail: TaskInstanceDetail | undefined;
}) {
  const { team } = useParams({ from: FROM });
  return (
    <span className={styles.heading}>
      <Link
        className={styles.link}
        to="/t/$team/runs/$run"
        params={{ team, run }}
        search={{ task, map: map < 0 ? undefined : map }}
      >
        {task}
        {map >= 0 && <code>[{map}]</code>}
      </Link>
      {detail && <StateBadge state={detail.state} />}
    </span>
  );
}

function AttemptTabs({
  run,
  detail,
  shown,
}: {
  run: string;
  detail: TaskInstanceDetail;
  shown: number | undefined;
}) {
  const { team } = useParams({ from: FROM });
  if (detail.history.length === 0) return null;
  return (
    <Tabs label="Attempts">
      {[...detail.history].reverse().map((attempt) => (
        <Link
          key={attempt.number}
          to={FROM}
          params={{ team, run }}
          search={({ line: _line, ...before }) => ({ ...before, try: attempt.number })}
          className={tabClass}
          data-status={attempt.number === shown ? "active" : undefined}
        >
          <span className={styles.attempt}>
            <StateIcon state={attempt.state} size={14} label />
            Attempt {attempt.number}
            <span className={styles.took}>
              <Elapsed from={attempt.started_at} to={attempt.ended_at} />
            </span>
          </span>
        </Link>
      ))}
    </Tabs>
  );
}
