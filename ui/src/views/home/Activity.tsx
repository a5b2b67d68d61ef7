import type { Hour } from "@/api/types.ts";
import { columnsOf, totalsOf } from "@/lib/activity.ts";
import { number } from "@/lib/count.ts";
import { stateWord } from "@/lib/states.ts";
import { compact } from "@/lib/time.ts";
import { Card } from "@/parts/Page.tsx";
import { stateColour } from "@/parts/State.tsx";
import styles from "./Home.module.css";

const colourOf = (state: string) =>
  state === "flawed" ? "var(--up_for_retry)" : stateColour(state);
const wordOf = (state: string) =>
  state === "flawed" ? "success with failed tasks" : stateWord(state);
const told = (counts: readonly [state: string, count: number][]) =>
  counts.map(([state, count]) => `${number(count)} ${wordOf(state)}`).join(", ") || "no runs";

/** The runs that ended, hour by hour, of the last day. */
export function Activity({ hours }: { hours: readonly Hour[] }) {
  const totals = totalsOf(hours);
  return (
    <Card title="Runs finished in the last 24 hours">
      <div className={styles.chart} role="img" aria-label={told(totals)}>
        {columnsOf(hours).map((column) => (
          <span
            key={column.hour}
            className={styles.bar}
            title={`${compact(column.hour, Date.now())}: ${told(column.counts)}`}
          >
            {column.parts.map(({ state, share }) => (
              <span
                key={state}
                style={{ height: `max(3px, ${share * 100}%)`, background: colourOf(state) }}
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
      {totals.length > 0 && (
        <ul className={styles.legend} aria-label="Colours">
          {totals.map(([state, count]) => (
            <li key={state}>
              <span className={styles.sample} style={{ background: colourOf(state) }} aria-hidden />
              <span className="tabular">{number(count)}</span> {wordOf(state)}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
