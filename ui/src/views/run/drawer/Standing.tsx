import type { RunTask, TaskInstanceDetail } from "@/api/types.ts";
import { isFinal } from "@/lib/states.ts";
import { retryRule } from "@/lib/why.ts";
import { StateBadge } from "@/parts/State.tsx";
import { Elapsed, RelativeTime, Since } from "@/parts/Time.tsx";
import styles from "./Drawer.module.css";

/** In what state, and since when; of one that waits for a retry, which attempt that will be of how many. */
export function Standing({
  instance,
  task,
}: {
  instance: TaskInstanceDetail;
  task: RunTask | undefined;
}) {
  const { state, started_at, ended_at, queued_at, wake_at, attempts, wait } = instance;
  const over = isFinal(state);
  const retries = (instance.why && retryRule(instance.why)?.retries) ?? task?.retries;
  return (
    <p className={styles.standing}>
      <StateBadge state={state} />
      {over && ended_at && <RelativeTime at={ended_at} />}
      {started_at && (over || state === "running") && (
        <span>
          {over ? "took " : "for "}
          <Elapsed from={started_at} to={over ? ended_at : null} />
        </span>
      )}
      {state === "queued" && queued_at && (
        <span>
          <Since at={queued_at} />
        </span>
      )}
      {state === "up_for_retry" && wake_at && (
        <span>
          retries <RelativeTime at={wake_at} />
          {retries !== undefined && `, attempt ${instance.failures + 1} of ${retries + 1}`}
        </span>
      )}
      {wait && (
        <span>
          {state === "up_for_reschedule" ? (
            <>
              look {instance.history[0]?.deferrals ?? 1} <RelativeTime at={wait.since} />
            </>
          ) : (
            <Since at={wait.since} />
          )}
        </span>
      )}
      {wait?.looked_at && (
        <span>
          look {wait.looks} <RelativeTime at={wait.looked_at} />
        </span>
      )}
      {wait?.looks_at && (
        <span>
          looks again <RelativeTime at={wait.looks_at} />
        </span>
      )}
      {wait?.note && <span>{wait.note}</span>}
      {wait?.until && (
        <span>
          {state === "up_for_reschedule" ? "looks again " : "until "}
          <RelativeTime at={wait.until} />
        </span>
      )}
      {wait?.ends_at && (
        <span>
          times out <RelativeTime at={wait.ends_at} />
        </span>
      )}
      {attempts > 1 && <span>attempt {attempts}</span>}
    </p>
  );
}
