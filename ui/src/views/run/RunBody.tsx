import { useQuery } from "@tanstack/react-query";
import { diagnosis } from "@/api/diagnosis.ts";
import { runTasks } from "@/api/runTasks.ts";
import type { Run } from "@/api/types.ts";
import type { Selection } from "@/lib/selection.ts";
import { isFinal } from "@/lib/states.ts";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { Skeleton, SkeletonRows } from "@/parts/Skeleton.tsx";
import { StateIcon } from "@/parts/State.tsx";
import { Words } from "@/parts/Words.tsx";
import { Blocked } from "./Blocked.tsx";
import { BlockedDags } from "./BlockedDags.tsx";
import { Compared } from "./Compared.tsx";
import { Errors } from "./Errors.tsx";
import { OpenQuestions, useOpenQuestions } from "./OpenQuestions.tsx";
import { Progress } from "./Progress.tsx";
import { Repaired } from "./Repaired.tsx";
import { RunFacts } from "./RunFacts.tsx";
import styles from "./RunPage.module.css";
import { TaskTable } from "./TaskTable.tsx";

/** First what happened, in words; then the errors, what they hold up, the tasks, the rest. */
export function RunBody({
  run,
  only,
  select,
}: {
  run: Run;
  /** Of the tasks only those with instances in this state. */
  only: string | undefined;
  select: (next: Selection) => void;
}) {
  const found = useQuery(diagnosis(run.run_id));
  const asked = useOpenQuestions(run);
  const said = found.data;
  return (
    <div className={styles.body}>
      <div className={styles.inner}>
        <p className={styles.headline} data-state={run.state}>
          <StateIcon state={run.state} size={20} />
          {said ? (
            <span>
              <Words text={said.headline} />
            </span>
          ) : found.isError ? (
            <span>
              <Words text={run.reason ?? run.state} />
            </span>
          ) : (
            <Skeleton width="60%" height={20} />
          )}
        </p>
        {run.set_aside && (
          <p className={styles.setAside} role="alert">
            This run is <Words text={run.reason ?? `set aside: ${run.set_aside}`} />
          </p>
        )}
        {run.note && <blockquote className={styles.note}>{run.note}</blockquote>}
        {!isFinal(run.state) && <Progress run={run} />}
        {!isFinal(run.state) && <OpenQuestions run={run} select={select} />}
        {said && said.errors.length > 0 && (
          <Errors errors={said.errors} run={run} select={select} />
        )}
        {said?.repaired && <Repaired error={said.repaired} run={run.run_id} select={select} />}
        {said && (said.blocked.length > 0 || said.blocked_dags?.length || said.compared_to) && (
          <div className={styles.pair}>
            {said.blocked.length > 0 && <Blocked blocked={said.blocked} select={select} />}
            {said.blocked_dags && said.blocked_dags.length > 0 && (
              <BlockedDags blocked={said.blocked_dags} />
            )}
            {said.compared_to && <Compared run={run.run_id} to={said.compared_to} />}
          </div>
        )}
        <Below run={run} first={found.isPending || asked.isLoading} only={only} select={select} />
      </div>
    </div>
  );
}

/** The tasks and the rest. They come after what is above them, so that nothing that is seen is moved. */
function Below({
  run,
  first,
  only,
  select,
}: {
  run: Run;
  /** What is above has not come yet. */
  first: boolean;
  only: string | undefined;
  select: (next: Selection) => void;
}) {
  const tasks = useQuery(runTasks(run.run_id));
  if (first || tasks.isPending) return <SkeletonRows key={first ? "all" : "tasks"} count={8} />;
  return (
    <>
      {tasks.isError && (
        <ErrorState error={tasks.error} what="The tasks" retry={() => tasks.refetch()} />
      )}
      {tasks.data && <TaskTable tasks={tasks.data} only={only} select={select} />}
      <RunFacts run={run} />
    </>
  );
}
