import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { timeline } from "@/api/timeline.ts";
import { dagRows } from "@/lib/timeline/rows.ts";
import { SPANS, type SpanName, spanMs, spanNamed } from "@/lib/timeline/spans.ts";
import { Button } from "@/parts/Button.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { Page } from "@/parts/Page.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { Chart } from "./Chart.tsx";
import styles from "./Timeline.module.css";

const route = getRouteApi("/t/$team/timeline");

/** All DAGs on one axis: what ran, what will, and whether the slots are enough. */
export function Timeline() {
  const { span } = route.useSearch();
  const found = useQuery(timeline(spanMs(span)));
  const rows = useMemo(
    () => (found.data ? dagRows(found.data.runs, found.data.predicted) : []),
    [found.data],
  );
  return (
    <Page
      title="Timeline"
      note="Past and scheduled runs, and the slots they use. Future runs are shown with their usual duration."
      actions={<Spans span={span} />}
    >
      {found.isError && !found.data ? (
        <ErrorState error={found.error} what="The timeline" retry={() => found.refetch()} />
      ) : !found.data ? (
        <SkeletonRows count={10} />
      ) : rows.length === 0 ? (
        <Nothing />
      ) : (
        <>
          {found.data.truncated && (
            <p className={styles.truncated}>
              Not everything fits: only the latest runs and the next scheduled runs are shown.
            </p>
          )}
          {found.data.load_truncated && (
            <p className={styles.truncated}>
              There were too many runs in this period to count all of them: more slots were used
              than is drawn. Choose a shorter period for exact numbers.
            </p>
          )}
          <Chart found={found.data} rows={rows} />
        </>
      )}
    </Page>
  );
}

function Spans({ span }: { span: SpanName | undefined }) {
  const navigate = route.useNavigate();
  return (
    <fieldset className={styles.spans} aria-label="Period">
      {SPANS.map((choice) => (
        <Button
          key={choice.span}
          small
          look="quiet"
          aria-pressed={choice.ms === spanMs(span)}
          onClick={() => navigate({ search: { span: spanNamed(choice.span) }, replace: true })}
        >
          {choice.word}
        </Button>
      ))}
    </fieldset>
  );
}

function Nothing() {
  return (
    <EmptyState title="No runs in this period" command="headway run DAG">
      Each DAG has a row, and its runs appear as bars. Choose a longer period, start a run, or give
      a DAG a schedule.
    </EmptyState>
  );
}
