import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { ArrowLeftRight } from "lucide-react";
import { runDiff } from "@/api/diff.ts";
import type { Run, RunDiffs, TaskDifference } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { named, tellingFirst, word } from "@/lib/diff/runs.ts";
import { absolute, minute } from "@/lib/time.ts";
import { buttonClass } from "@/parts/Button.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { DagLink, RunLink } from "@/parts/links.tsx";
import { Card, Page, PageBody } from "@/parts/Page.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { StateBadge } from "@/parts/State.tsx";
import { type Column, Table } from "@/parts/Table.tsx";
import { Elapsed } from "@/parts/Time.tsx";
import styles from "./RunDiff.module.css";

const route = getRouteApi("/t/$team/runs/$run/diff");
const NATURAL_MAX = 40;

/** Two runs of a DAG side by side: with what they ran, and how their tasks went. */
export function RunDiff() {
  const { team, run } = route.useParams();
  const { with: other } = route.useSearch();
  if (!other) {
    return (
      <Page title="Compare two runs">
        <EmptyState title="Choose a second run">
          <p>Select two runs of a DAG in its list of runs, and choose Compare.</p>
        </EmptyState>
      </Page>
    );
  }
  const turn = (
    <Link
      to="/t/$team/runs/$run/diff"
      params={{ team, run: other }}
      search={{ with: run }}
      className={buttonClass({})}
    >
      <ArrowLeftRight size={14} aria-hidden />
      Swap sides
    </Link>
  );
  return (
    <Page title="Compare two runs" actions={turn}>
      <PageBody>
        <Both run={run} other={other} />
      </PageBody>
    </Page>
  );
}

function Both({ run, other }: { run: string; other: string }) {
  const found = useQuery(runDiff(run, other));
  if (found.isPending) return <SkeletonRows count={8} />;
  if (!found.data) {
    return <ErrorState error={found.error} what="The comparison" retry={() => found.refetch()} />;
  }
  const { before, after, differences, tasks } = found.data;
  return (
    <div className={styles.both}>
      <div className={styles.sides}>
        <Side run={before} />
        <Side run={after} />
      </div>
      <Card title="What differs" link={<Code diff={found.data} />}>
        {differences.length === 0 ? (
          <p className={styles.none}>Nothing: the same code, parameters, state and duration.</p>
        ) : (
          <Table
            label="What differs"
            columns={columns(found.data, "what")}
            items={differences.map((each) => ({ ...each, task_id: "" }))}
            id={({ what }) => what}
            natural
          />
        )}
      </Card>
      <Card
        title="Tasks that differ"
        link={
          tasks.length > 0 && (
            <span className={styles.count}>{counted(tasks.length, "difference")}</span>
          )
        }
      >
        {tasks.length === 0 ? (
          <p className={styles.none}>
            No task differs: all ended in the same state, after the same number of attempts, in
            about the same time.
          </p>
        ) : (
          <div className={tasks.length > NATURAL_MAX ? styles.tall : undefined}>
            <Table
              label="Tasks that differ"
              columns={columns(found.data, "task")}
              items={tellingFirst(tasks)}
              id={({ task_id, what }) => `${task_id} ${what}`}
              natural={tasks.length <= NATURAL_MAX}
            />
          </div>
        )}
      </Card>
    </div>
  );
}

function Side({ run }: { run: Run }) {
  return (
    <section className={styles.side} aria-label={`Run ${run.run_id}`}>
      <h2>
        <DagLink dag={run.dag_id} />{" "}
        <RunLink run={run.run_id}>
          <time dateTime={run.logical_date} title={absolute(run.logical_date)}>
            {minute(run.logical_date)}
          </time>
        </RunLink>
      </h2>
      <p>
        <StateBadge state={run.state} failed={run.counts.failed} />
        <span>
          took <Elapsed from={run.started_at} to={run.ended_at} />
        </span>
        <span>version {run.version}</span>
        <code>{run.run_id}</code>
      </p>
    </section>
  );
}

/** Where the files differ, the page that shows how. */
function Code({ diff: { before, after } }: { diff: RunDiffs }) {
  const { team } = route.useParams();
  if (before.bundle_version === after.bundle_version) return null;
  return (
    <Link to="/t/$team/dags/$dag/versions" params={{ team, dag: after.dag_id }}>
      Changes of the code
    </Link>
  );
}

/** Both sides in columns; what differs first, or the task first. */
function columns(
  { before, after }: RunDiffs,
  first: "what" | "task",
): readonly Column<TaskDifference>[] {
  const dates = [before, after].map(({ logical_date }) => minute(logical_date));
  const alike = dates[0] === dates[1];
  const side = (run: Run, pick: "before" | "after"): Column<TaskDifference> => ({
    key: pick,
    head: alike ? run.run_id : minute(run.logical_date),
    width: "minmax(72px, 1.4fr)",
    wraps: true,
    cell: (each) => <span>{word(each.what, each[pick])}</span>,
  });
  const what: Column<TaskDifference> = {
    key: "what",
    head: "What",
    width: "minmax(64px, 1fr)",
    wraps: true,
    cell: (each) => <span>{named(each.what)}</span>,
  };
  const task: Column<TaskDifference> = {
    key: "task",
    head: "Task",
    width: "minmax(80px, 1.4fr)",
    wraps: true,
    cell: (each) => <code>{each.task_id}</code>,
  };
  const lead = first === "task" ? [task, what] : [what];
  return [...lead, side(before, "before"), side(after, "after")];
}
