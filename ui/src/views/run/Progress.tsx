import { useQuery } from "@tanstack/react-query";
import { diagnosis } from "@/api/diagnosis.ts";
import { run as runQuery } from "@/api/queries.ts";
import type { Run } from "@/api/types.ts";
import { number } from "@/lib/count.ts";
import { between } from "@/lib/duration.ts";
import { doneOf, expected } from "@/lib/progress.ts";
import { tally } from "@/lib/states.ts";
import { RunCounts } from "@/parts/links.tsx";
import { stateColour } from "@/parts/State.tsx";
import { useNow } from "@/state/now.ts";
import styles from "./RunPage.module.css";

/** How far it has come, and when it will be over if that is known. */
export function Progress({ run }: { run: Run }) {
  const good = useQuery(diagnosis(run.run_id)).data?.compared_to?.run_id;
  const before = useQuery({ ...runQuery(good ?? ""), enabled: good !== undefined }).data;
  const now = useNow();
  const { done, total } = doneOf(run.counts);
  const left = expected(between(run.started_at, null, now), before?.duration_s);
  return (
    <div className={styles.progress}>
      <div
        className={styles.bar}
        role="progressbar"
        aria-label="Finished task instances"
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={done}
      >
        {tally(run.counts).map(([state, count]) => (
          <span key={state} style={{ flexGrow: count, background: stateColour(state) }} />
        ))}
      </div>
      <p className={styles.facts}>
        <span className="tabular">
          {number(done)} of {number(total)} finished
        </span>
        {left && <span>{left}</span>}
        <RunCounts run={run} />
      </p>
    </div>
  );
}
