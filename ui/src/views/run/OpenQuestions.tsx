import { useInfiniteQuery } from "@tanstack/react-query";
import { questions } from "@/api/questions.ts";
import type { Run } from "@/api/types.ts";
import { keyOf } from "@/lib/questions.ts";
import type { Selection } from "@/lib/selection.ts";
import { isFinal } from "@/lib/states.ts";
import { Button } from "@/parts/Button.tsx";
import styles from "../questions/Question.module.css";
import { QuestionCard } from "../questions/QuestionCard.tsx";

/** What the tasks of a run ask now. Only runs in which something is deferred are asked for it. */
export function useOpenQuestions(run: Run) {
  return useInfiniteQuery({
    ...questions(run.run_id),
    enabled: !isFinal(run.state) && Boolean(run.counts.deferred),
  });
}

export function OpenQuestions({ run, select }: { run: Run; select: (next: Selection) => void }) {
  const found = useOpenQuestions(run);
  if (!run.counts.deferred || !found.data?.length) return null;
  return (
    <div className={styles.list}>
      {found.data.map((question) => (
        <QuestionCard
          key={keyOf(question)}
          question={question}
          place={
            <Button
              small
              flush
              look="quiet"
              onClick={() => select({ task: question.task_id, map: question.map_index })}
            >
              {question.task_id}
              {question.map_index >= 0 && `[${question.map_index}]`}
            </Button>
          }
        />
      ))}
      {found.hasNextPage && (
        <Button disabled={found.isFetchingNextPage} onClick={() => found.fetchNextPage()}>
          Show more
        </Button>
      )}
    </div>
  );
}
