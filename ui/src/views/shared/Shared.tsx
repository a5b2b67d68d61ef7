import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Play } from "lucide-react";
import { grants, sharedRuns } from "@/api/queries.ts";
import { request } from "@/api/request.ts";
import type { Grant, Run } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { messageOf } from "@/parts/ErrorState.tsx";
import { Page } from "@/parts/Page.tsx";
import { StateBadge, StateCounts } from "@/parts/State.tsx";
import type { Column } from "@/parts/Table.tsx";
import { Elapsed, RelativeTime } from "@/parts/Time.tsx";
import { useMay, useTeam } from "@/state/session.ts";
import { say } from "@/state/toasts.ts";
import { Listed } from "@/views/admin/Listed.tsx";
import { sharedRoute } from "./routes.tsx";

/** A DAG of another team, as far as its grants go. */
export function Shared() {
  const { owner, dag } = sharedRoute.useParams();
  const team = useTeam();
  const given = (useInfiniteQuery(grants()).data ?? []).filter(
    (grant) =>
      grant.owner === owner &&
      grant.grantee === team &&
      grant.name === dag &&
      grant.state === "given",
  );
  const has = (kind: Grant["kind"]) => given.some((grant) => grant.kind === kind);
  const mayStart = useMay("run.trigger");
  return (
    <Page
      title={dag}
      note={has("see_runs") ? `Of team ${owner}, shown to ${team} by a grant` : `Of team ${owner}`}
      actions={has("start") && mayStart && <Start owner={owner} dag={dag} />}
    >
      {has("see_runs") ? (
        <Runs owner={owner} dag={dag} />
      ) : (
        <EmptyState
          title="Its runs are not shared"
          command={`headway grant ask ${owner} see_runs ${dag}`}
        >
          <p>No grant lets team {team} see the runs of this DAG. Ask its team for one:</p>
        </EmptyState>
      )}
    </Page>
  );
}

function Runs({ owner, dag }: { owner: string; dag: string }) {
  const found = useInfiniteQuery(sharedRuns(owner, dag));
  return (
    <Listed
      found={found}
      what="Runs"
      columns={COLUMNS}
      id={(run) => run.run_id}
      empty={<EmptyState title="No runs yet" />}
    />
  );
}

/** With the defaults of its parameters. */
function Start({ owner, dag }: { owner: string; dag: string }) {
  const queries = useQueryClient();
  const start = useMutation({
    mutationFn: () =>
      request("post", "/dags/{dag_id}/runs", { path: { dag_id: dag }, body: {}, of: owner }),
    onSuccess: () => {
      say("done", `Started ${dag} of ${owner}`);
      queries.invalidateQueries({ queryKey: ["shared", owner, dag] });
    },
    onError: (error) => say("failed", messageOf(error)),
  });
  return (
    <Button look="primary" disabled={start.isPending} onClick={() => start.mutate()}>
      <Play size={14} aria-hidden />
      Start
    </Button>
  );
}

const COLUMNS: readonly Column<Run>[] = [
  {
    key: "state",
    head: "State",
    width: "minmax(98px, 130px)",
    cell: (run) => <StateBadge state={run.state} />,
  },
  {
    key: "run",
    head: "Run",
    width: "minmax(106px, 130px)",
    cell: (run) => <code title={run.run_id}>{run.run_id}</code>,
  },
  {
    key: "tasks",
    head: "Tasks",
    width: "minmax(120px, 2fr)",
    secondary: true,
    cell: (run) => <StateCounts counts={run.counts} />,
  },
  {
    key: "trigger",
    head: "Trigger",
    width: "100px",
    secondary: true,
    cell: (run) => <span title={run.created_by}>{run.trigger}</span>,
  },
  {
    key: "duration",
    head: "Duration",
    width: "84px",
    end: true,
    secondary: true,
    cell: (run) => <Elapsed from={run.started_at} to={run.ended_at} />,
  },
  {
    key: "created",
    head: "Created",
    width: "110px",
    end: true,
    cell: (run) => <RelativeTime at={run.created_at} />,
  },
];
