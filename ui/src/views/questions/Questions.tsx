import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { questions } from "@/api/questions.ts";
import type { Question } from "@/api/types.ts";
import { keyOf } from "@/lib/questions.ts";
import { Button } from "@/parts/Button.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { Page, PageBody } from "@/parts/Page.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { useTeam } from "@/state/session.ts";
import styles from "./Question.module.css";
import { QuestionCard } from "./QuestionCard.tsx";

/** What tasks of the team ask, the latest first. */
export function Questions() {
  const found = useInfiniteQuery(questions());
  return (
    <Page title="Questions">
      {found.isPending ? (
        <SkeletonRows />
      ) : found.isError && !found.data ? (
        <ErrorState error={found.error} what="The questions" retry={() => found.refetch()} />
      ) : found.data.length === 0 ? (
        <EmptyState title="No open questions">
          <p>
            Tasks that wait for a person ask here: to approve, to choose or to fill in a form. A DAG
            file asks with <code>approve("sign", subject="Release it?")</code>, <code>choose</code>{" "}
            or <code>ask</code>.
          </p>
        </EmptyState>
      ) : (
        <PageBody>
          <div className={styles.list}>
            {found.data.map((question) => (
              <QuestionCard
                key={keyOf(question)}
                question={question}
                place={<Place question={question} />}
              />
            ))}
            {found.hasNextPage && (
              <Button disabled={found.isFetchingNextPage} onClick={() => found.fetchNextPage()}>
                Show more
              </Button>
            )}
          </div>
        </PageBody>
      )}
    </Page>
  );
}

/** The task that asks, in its run. */
function Place({ question }: { question: Question }) {
  const team = useTeam();
  const { run_id, dag_id, task_id, map_index, rendered_map_index } = question;
  const index = map_index < 0 ? "" : `[${rendered_map_index ?? map_index}]`;
  return (
    <span>
      <Link to="/t/$team/dags/$dag" params={{ team, dag: dag_id }}>
        {dag_id}
      </Link>{" "}
      ·{" "}
      <Link
        to="/t/$team/runs/$run"
        params={{ team, run: run_id }}
        search={{ task: task_id, map: map_index }}
      >
        {task_id}
        {index}
      </Link>
    </span>
  );
}
