import { useQuery } from "@tanstack/react-query";
import { instance as instanceQuery } from "@/api/instances.ts";
import type { Attempt, RunTask } from "@/api/types.ts";
import { remedyOf } from "@/lib/remedy.ts";
import type { Selection } from "@/lib/selection.ts";
import { why } from "@/lib/why.ts";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { QuestionCard } from "../../questions/QuestionCard.tsx";
import { Attempts } from "./Attempts.tsx";
import styles from "./Drawer.module.css";
import { InstanceActions } from "./InstanceActions.tsx";
import { LogTail } from "./LogTail.tsx";
import { Outputs } from "./Outputs.tsx";
import { Rendered } from "./Rendered.tsx";
import { Standing } from "./Standing.tsx";
import { WhyLine } from "./WhyLine.tsx";

/** One task instance: how it stands, why, what to do; then attempts, log, output, input. */
export function InstanceDetail({
  run,
  task,
  map,
  attempt: chosen,
  tasks,
  select,
}: {
  run: string;
  task: string;
  map: number;
  attempt: number | undefined;
  tasks: readonly RunTask[];
  select: (more: Selection) => void;
}) {
  const found = useQuery(instanceQuery(run, task, map));
  if (found.isPending) return <SkeletonRows count={8} />;
  if (!found.data) {
    return <ErrorState error={found.error} what={`The task ${task}`} retry={found.refetch} />;
  }
  const instance = found.data;
  const attempt = pickAttempt(instance.history, chosen);
  const reason = why(instance, tasks);
  return (
    <div className={styles.detail}>
      <div className={styles.top}>
        <Standing instance={instance} task={tasks.find((each) => each.task_id === task)} />
        {reason && (
          <WhyLine
            why={reason}
            since={instance.state === "ready" ? instance.ready_at : null}
            dag={instance.dag_id}
            run={run}
            select={select}
            remedy={instance.blocked_reason && instance.why ? remedyOf(instance.why) : null}
          />
        )}
        <InstanceActions instance={instance} />
      </div>
      {instance.questions?.map((question) => (
        <div key={question.id} className={styles.question}>
          <QuestionCard question={question} />
        </div>
      ))}
      {instance.history.length > 0 && (
        <Attempts
          attempts={instance.history}
          shown={attempt?.number}
          show={(number) => select({ try: number })}
        />
      )}
      {attempt && (
        <LogTail
          key={attempt.number}
          log={{ run, task, map, attempt: attempt.number }}
          failed={attempt.state === "failed"}
        />
      )}
      <Outputs run={run} task={task} map={map} />
      {attempt && (
        <Rendered
          key={`rendered ${attempt.number}`}
          attempt={{ run, task, map, attempt: attempt.number }}
          ended={attempt.ended_at !== null}
        />
      )}
    </div>
  );
}

/** The attempt that the URL names, else the latest. */
function pickAttempt(history: readonly Attempt[], chosen: number | undefined) {
  return history.find((attempt) => attempt.number === chosen) ?? history[0];
}
