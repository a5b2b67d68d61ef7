import { useInfiniteQuery } from "@tanstack/react-query";
import { runs } from "@/api/queries.ts";
import type { TriggerPreview } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { stateWord } from "@/lib/states.ts";
import { absolute } from "@/lib/time.ts";
import { RunLink } from "@/parts/links.tsx";
import { StateIcon } from "@/parts/State.tsx";
import styles from "./Trigger.module.css";

/** The answer of a dry run, in words. */
export function Plan({ dag, plan }: { dag: string; plan: TriggerPreview }) {
  const from = plan.logical_date;
  const to = new Date(Date.parse(from) + 1).toISOString();
  const same = useInfiniteQuery(runs({ dag_id: dag, from, to })).data?.[0];
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
            {stateWord(same.state)}). Retry or clear it to run its tasks again; this one would be a
            second run.
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
