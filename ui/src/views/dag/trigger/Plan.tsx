import type { TriggerPreview } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { absolute } from "@/lib/time.ts";
import styles from "./Trigger.module.css";

/** The answer of a dry run, in words. */
export function Plan({ plan }: { plan: TriggerPreview }) {
  return (
    <div className={styles.plan} role="status">
      <p>
        One run of {counted(plan.tasks, "task")} for {absolute(plan.logical_date)}.
      </p>
      <p>
        {plan.would_wait
          ? `The run would wait: ${plan.would_wait}`
          : "The run would start immediately."}
      </p>
      {Object.keys(plan.params).length > 0 && <pre>{JSON.stringify(plan.params, null, 2)}</pre>}
    </div>
  );
}
