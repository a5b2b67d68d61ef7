import type { TaskInstanceDetail } from "@/api/types.ts";
import { isFinal } from "@/lib/states.ts";
import { StateBadge } from "@/parts/State.tsx";
import { Elapsed, RelativeTime, Since } from "@/parts/Time.tsx";
import styles from "./Drawer.module.css";

/** In what state, and since when. */
export function Standing({ instance }: { instance: TaskInstanceDetail }) {
  const { state, started_at, ended_at, queued_at, wake_at, attempts, wait } = instance;
  const over = isFinal(state);
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
          again <RelativeTime at={wake_at} />
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
