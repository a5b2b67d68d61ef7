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
      note="What ran and what schedules will bring, with the slots that takes. What is to come is taken to last as long as it usually does."
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
              There is more than can be shown: the latest runs and the next fires are here.
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
    <fieldset className={styles.spans} aria-label="How far back and ahead">
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
    <EmptyState title="Nothing ran, and nothing will" command="headway run <dag>">
      Runs are bars here, a row for each DAG, and the fires of schedules stand after now. Look
      further back and ahead, start a run, or give a DAG a schedule.
    </EmptyState>
  );
}
