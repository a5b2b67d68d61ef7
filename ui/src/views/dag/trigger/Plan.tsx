import type { TriggerPreview } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { stateWord } from "@/lib/states.ts";
import { absolute } from "@/lib/time.ts";
import { RunLink } from "@/parts/links.tsx";
import { StateIcon } from "@/parts/State.tsx";
import styles from "./Trigger.module.css";

const ADVICE: Readonly<Record<string, string>> = {
  queued: "It starts by itself; to change it, cancel it on its page.",
  running: "Follow or cancel it on its page.",
  failed: "Retry its failed tasks on its page.",
  success: "To run its tasks again, clear it on its page.",
  cancelled: "To run its tasks again, clear it on its page.",
};

/** The answer of a dry run, in words. */
export function Plan({ plan }: { plan: TriggerPreview }) {
  const same = plan.same_date?.[0];
  return (
    <div className={styles.plan} role="status">
      <p>
        One run of {counted(plan.tasks, "task")} for {absolute(plan.logical_date)}.
      </p>
      {same && (
        <p className={styles.same}>
          <StateIcon state={same.state} />
          <span>
            There is a run for this date already: <RunLink run={same.run_id} /> (
            {stateWord(same.state)}). {ADVICE[same.state]} This one would be one more run.
          </span>
        </p>
      )}
      <p>
        {plan.would_wait
          ? `The run would wait: ${plan.would_wait}`
          : "The run would start immediately."}
      </p>
      {Object.keys(plan.params).length > 0 && <pre>{JSON.stringify(plan.params, null, 2)}</pre>}
    </div>
  );
}
