import type { TaskInstanceDetail } from "@/api/types.ts";
import { isFinal } from "@/lib/states.ts";
import { StateBadge } from "@/parts/State.tsx";
import { Elapsed, RelativeTime } from "@/parts/Time.tsx";
import styles from "./Drawer.module.css";

/** In what state, and since when. */
export function Standing({ instance }: { instance: TaskInstanceDetail }) {
  const { state, started_at, ended_at, queued_at, wake_at, attempts } = instance;
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
          since <RelativeTime at={queued_at} />
        </span>
      )}
      {state === "up_for_retry" && wake_at && (
        <span>
          again <RelativeTime at={wake_at} />
        </span>
      )}
      {attempts > 1 && <span>attempt {attempts}</span>}
    </p>
  );
}
