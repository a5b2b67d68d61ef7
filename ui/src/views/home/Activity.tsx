import type { Hour } from "@/api/types.ts";
import { columnsOf } from "@/lib/activity.ts";
import { compact } from "@/lib/time.ts";
import { Card } from "@/parts/Page.tsx";
import { stateColour } from "@/parts/State.tsx";
import styles from "./Home.module.css";

function wordsOf({ parts }: { parts: readonly { state: string }[] }): string {
  return parts.some(({ state }) => state === "flawed") ? ", some with failed tasks inside" : "";
}

/** The runs that ended, hour by hour, of the last day. */
export function Activity({ hours }: { hours: readonly Hour[] }) {
  const columns = columnsOf(hours);
  const total = columns.reduce((sum, column) => sum + column.total, 0);
  const failed = hours.reduce((sum, hour) => sum + hour.failed, 0);
  const flawed = hours.reduce((sum, hour) => sum + hour.flawed, 0);
  return (
    <Card title="Runs finished in the last 24 hours">
      <div
        className={styles.chart}
        role="img"
        aria-label={`${total} runs ended, ${failed} of them failed, ${flawed} succeeded with failed tasks`}
      >
        {columns.map((column) => (
          <span
            key={column.hour}
            className={styles.bar}
            title={`${compact(column.hour, Date.now())}: ${column.total} ended${wordsOf(column)}`}
          >
            {column.parts.map(({ state, share }) => (
              <span
                key={state}
                style={{
                  height: `max(3px, ${share * 100}%)`,
                  background: state === "flawed" ? "var(--up_for_retry)" : stateColour(state),
                }}
              />
            ))}
          </span>
        ))}
      </div>
      <div className={styles.axis}>
        <span>24 h ago</span>
        <span>12 h ago</span>
        <span>now</span>
      </div>
    </Card>
  );
}
