import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { ChevronLeft, ChevronRight, PanelRight } from "lucide-react";
import { adjacentRuns, run as runQuery } from "@/api/queries.ts";
import { newestRun } from "@/api/runTasks.ts";
import type { RunBrief } from "@/api/types.ts";
import { absolute, minute } from "@/lib/time.ts";
import { Button, IconButton } from "@/parts/Button.tsx";
import { Skeleton } from "@/parts/Skeleton.tsx";
import { StateBadge } from "@/parts/State.tsx";
import { Elapsed } from "@/parts/Time.tsx";
import { useShortcuts } from "@/state/keyboard.ts";
import { useSelection } from "@/state/selection.ts";
import styles from "./RunNav.module.css";
import { useKnown } from "./useKnown.ts";

/** Which run a view shows, and the ones before and after it. */
export function RunNav({ dag }: { dag: string }) {
  const { team } = useParams({ from: "/t/$team/dags/$dag" });
  const [selection, select] = useSelection();
  const known = useKnown(dag);
  const newest = useQuery(newestRun(dag));
  const id = known.selection.run ?? newest.data?.run_id;
  const found = useQuery({ ...runQuery(id ?? ""), enabled: id !== undefined });
  const run = found.data;
  const others = useQuery({
    ...adjacentRuns(run?.run_id ?? ""),
    enabled: run !== undefined,
    placeholderData: (before) => before, // so that the buttons stay as they are
  });
  const beside = others.data;
  const settled = beside !== undefined && !others.isPlaceholderData && run?.run_id === id;
  const go = (to: RunBrief | null | undefined) => {
    const { task, map, details } = selection;
    if (to && settled)
      select({ run: to.run_id, task, map, details: task ? undefined : (details ?? "closed") });
  };
  useShortcuts([
    { keys: "[", does: "Previous run", run: () => go(beside?.previous) },
    { keys: "]", does: "Next run", run: () => go(beside?.next) },
  ]);
  if (newest.data === null && !id) return null; // no runs yet: the view says so
  const isNewest = run?.run_id === newest.data?.run_id;
  return (
    <section className={styles.nav} aria-label="Run" aria-busy={!settled}>
      <IconButton
        small
        label="Previous run ( [ )"
        disabled={!beside?.previous}
        onClick={() => go(beside?.previous)}
      >
        <ChevronLeft size={16} />
      </IconButton>
      <IconButton
        small
        label="Next run ( ] )"
        disabled={!beside?.next}
        onClick={() => go(beside?.next)}
      >
        <ChevronRight size={16} />
      </IconButton>
      {run ? (
        <>
          <Link
            className={styles.name}
            to="/t/$team/runs/$run"
            params={{ team, run: run.run_id }}
            title={absolute(run.logical_date)}
          >
            Run of <time dateTime={run.logical_date}>{minute(run.logical_date)}</time>
          </Link>
          <StateBadge state={run.state} failed={run.counts.failed} />
          <span className={styles.took}>
            <Elapsed from={run.started_at} to={run.ended_at} />
          </span>
          {isNewest ? (
            <span className={styles.newest}>newest</span>
          ) : (
            <Button small look="quiet" onClick={() => select({ details: undefined })}>
              Newest
            </Button>
          )}
          {(!selection.run || selection.details === "closed") && !selection.task && (
            <Button small look="quiet" onClick={() => select({ run: run.run_id })}>
              <PanelRight size={14} aria-hidden />
              Details
            </Button>
          )}
        </>
      ) : (
        <Skeleton width={260} height={16} />
      )}
    </section>
  );
}
