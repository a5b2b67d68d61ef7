import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { run as runQuery } from "@/api/queries.ts";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { DagLink } from "@/parts/links.tsx";
import { Page, PageBody } from "@/parts/Page.tsx";
import { StateBadge, StateCounts } from "@/parts/State.tsx";
import { Elapsed } from "@/parts/Time.tsx";

export function RunPage() {
  const { run: runId } = useParams({ from: "/t/$team/runs/$run" });
  const found = useQuery(runQuery(runId));
  if (found.isError && !found.data) {
    return <ErrorState error={found.error} what="The run" retry={() => found.refetch()} />;
  }
  const run = found.data;
  return (
    <Page
      title={runId}
      note={
        run && (
          <>
            <DagLink dag={run.dag_id} /> · <Elapsed from={run.started_at} to={run.ended_at} />
          </>
        )
      }
    >
      <PageBody>
        {run && (
          <>
            <StateBadge state={run.state} /> <StateCounts counts={run.counts} />
          </>
        )}
      </PageBody>
    </Page>
  );
}
