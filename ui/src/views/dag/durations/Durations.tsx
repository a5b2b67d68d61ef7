import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { durations as durationsQuery } from "@/api/durations.ts";
import type { DagDuration, TaskDuration } from "@/api/types.ts";
import { dayIn, daysAfter } from "@/lib/calendar/weeks.ts";
import { counted, number } from "@/lib/count.ts";
import { duration } from "@/lib/duration.ts";
import { zone } from "@/lib/time.ts";
import { Button } from "@/parts/Button.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { Table } from "@/parts/Table.tsx";
import { useSelection } from "@/state/selection.ts";
import { columnsOf, type Sort, sorted } from "./columns.tsx";
import { DaysChart } from "./DaysChart.tsx";
import styles from "./Durations.module.css";
import { Trend } from "./Trend.tsx";

const route = getRouteApi("/t/$team/dags/$dag/durations");
const CHOICES = [7, 30, 90] as const;

/** Is it getting slower? */
export function Durations() {
  const { dag } = route.useParams();
  const { days = 30, sort = "p50_s" } = route.useSearch();
  const navigate = route.useNavigate();
  const [, select] = useSelection();
  const found = useQuery(durationsQuery(dag, days, zone()));
  const tasks = useMemo(() => sorted(found.data?.tasks ?? [], sort), [found.data, sort]);
  const columns = columnsOf(
    sort,
    (next: Sort) => navigate({ search: (before) => ({ ...before, sort: next }), replace: true }),
    (task: TaskDuration) => select({ task: task.task_id }),
  );
  if (found.isError && !found.data)
    return <ErrorState error={found.error} what="The durations" retry={() => found.refetch()} />;
  if (!found.data) return <SkeletonRows count={14} />;
  const first = daysAfter(dayIn(Date.now(), found.data.timezone), 1 - found.data.days);
  return (
    <div className={styles.view}>
      <div className={styles.top}>
        <Facts spread={found.data.dag} />
        <fieldset className={styles.days} aria-label="Period">
          {CHOICES.map((choice) => (
            <Button
              key={choice}
              small
              look="quiet"
              aria-pressed={days === choice}
              onClick={() =>
                navigate({
                  search: (before) => ({ ...before, days: choice === 30 ? undefined : choice }),
                  replace: true,
                })
              }
            >
              {choice} days
            </Button>
          ))}
        </fieldset>
      </div>
      {found.data.dag.count === 0 ? (
        <EmptyState
          title={`No successful runs in the last ${days} days`}
          command={`headway run ${dag}`}
        >
          <p>Medians, 95th percentiles and trends will appear here.</p>
        </EmptyState>
      ) : (
        <>
          <DaysChart days={found.data.by_day} first={first} count={found.data.days} />
          <p className={styles.sample}>Days of {found.data.timezone}</p>
          {found.data.sampled_runs < found.data.dag.count && (
            <p className={styles.sample}>
              Tasks as in the latest {counted(found.data.sampled_runs, "run")}
            </p>
          )}
          <Table
            label="Durations of tasks"
            columns={columns}
            items={tasks}
            id={(task) => task.task_id}
          />
        </>
      )}
    </div>
  );
}

function Facts({ spread }: { spread: DagDuration }) {
  return (
    <dl className={styles.facts}>
      <div>
        <dt>median</dt>
        <dd>{duration(spread.p50_s)}</dd>
      </div>
      <div>
        <dt>95th percentile</dt>
        <dd>{duration(spread.p95_s)}</dd>
      </div>
      <div>
        <dt>mean</dt>
        <dd>{duration(spread.mean_s)}</dd>
      </div>
      <div>
        <dt>runs</dt>
        <dd>{number(spread.count)}</dd>
      </div>
      <div>
        <dt>trend</dt>
        <dd>
          <Trend pct={spread.trend_pct} />
        </dd>
      </div>
    </dl>
  );
}
