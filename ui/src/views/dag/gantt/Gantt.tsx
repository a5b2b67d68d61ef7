import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { gantt as ganttQuery } from "@/api/gantt.ts";
import { newestRun } from "@/api/runTasks.ts";
import { lengthOf, type Order, ordered, rowsOf, spanOf } from "@/lib/gantt/bars.ts";
import { waitedBy } from "@/lib/gantt/waits.ts";
import { type Span, zoomOf, zoomText } from "@/lib/gantt/zoom.ts";
import { Button } from "@/parts/Button.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { useLive } from "@/state/live.ts";
import { useNow } from "@/state/now.ts";
import { useSelection } from "@/state/selection.ts";
import { useKnown } from "../useKnown.ts";
import { Chart } from "./Chart.tsx";
import styles from "./Gantt.module.css";
import { Hatches } from "./Hatches.tsx";
import { WaitSum } from "./WaitSum.tsx";
import { ZoomTools } from "./ZoomTools.tsx";

const route = getRouteApi("/t/$team/dags/$dag/gantt");
const ORDERS: readonly [Order, string][] = [
  ["start", "Start"],
  ["duration", "Duration"],
  ["wait", "Wait"],
];

/** What was slow; was it waiting or working? */
export function Gantt() {
  const { dag } = route.useParams();
  const { sort = "start", zoom } = route.useSearch();
  const navigate = route.useNavigate();
  const [, select] = useSelection();
  const { selection, pending } = useKnown(dag);
  const newest = useQuery({ ...newestRun(dag), enabled: !selection.run });
  const run = selection.run ?? newest.data?.run_id;
  const found = useQuery({ ...ganttQuery(run ?? ""), enabled: Boolean(run) && !pending });
  useLive({ dag_id: dag, run_id: selection.run });
  const data = found.data;
  const running = data !== undefined && data.run.ended_at === null;
  const tick = useNow(running ? 1_000 : 86_400_000);
  // The server's clock where the run has ended: nothing is open then, and nothing may move.
  const now = data && !running ? Date.parse(data.run.ended_at ?? data.now) : tick;
  const rows = useMemo(() => ordered(rowsOf(data?.bars ?? [], now), sort), [data, now, sort]);
  const waits = useMemo(() => {
    const segments = (data?.bars ?? []).flatMap((bar) => bar.segments);
    return waitedBy(segments.map((one) => ({ ...one, seconds: lengthOf(one, now) })));
  }, [data, now]);

  const failed = newest.error ?? found.error;
  if (failed && !data)
    return <ErrorState error={failed} what="The Gantt chart" retry={() => found.refetch()} />;
  if (newest.data === null)
    return (
      <EmptyState title="No runs yet" command={`headway run ${dag}`}>
        <p>You will see here how long each task ran, how long it waited, and for what.</p>
      </EmptyState>
    );
  if (!data) return <SkeletonRows count={18} />;
  const worked = rows.reduce((sum, row) => sum + row.worked_s, 0);
  const whole = spanOf(data.bars, data.run, now);
  const part = zoomOf(zoom, whole);
  const show = (next: Span) =>
    navigate({
      search: (before) => ({ ...before, zoom: zoomText(next, whole) }),
      replace: true,
    });
  return (
    <div className={styles.gantt}>
      <Hatches />
      <div className={styles.tools}>
        <WaitSum worked_s={worked} waits={waits} />
        <ZoomTools whole={whole} part={part} show={show} />
        <fieldset className={styles.orders} aria-label="Order">
          {ORDERS.map(([order, word]) => (
            <Button
              key={order}
              small
              look="quiet"
              aria-pressed={sort === order}
              onClick={() =>
                navigate({
                  search: (before) => ({ ...before, sort: order === "start" ? undefined : order }),
                  replace: true,
                })
              }
            >
              {word}
            </Button>
          ))}
        </fieldset>
      </div>
      {data.truncated && (
        <p className={styles.truncated}>
          The first {data.bars.length.toLocaleString("en-US")} instances are shown.
        </p>
      )}
      <Chart
        rows={rows}
        whole={whole}
        part={part}
        show={show}
        now={now}
        running={running}
        selection={selection}
        choose={({ bar }) =>
          select({ run, task: bar.task_id, map: bar.map_index >= 0 ? bar.map_index : undefined })
        }
      />
    </div>
  );
}
