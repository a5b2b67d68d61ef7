import type { Measure } from "@/lib/calendar/heat.ts";
import { stateColour } from "@/parts/State.tsx";
import styles from "./Calendar.module.css";

/** What the colours say. */
export function Legend({ measure, timezone }: { measure: Measure; timezone: string }) {
  return (
    <span className={styles.legend}>
      {measure === "outcome" ? (
        <>
          <span className={styles.entry}>
            <Sample colour="var(--success)" /> all went well
          </span>
          <span className={styles.entry}>
            <Sample colour="var(--failed)" /> some failed
          </span>
          <span className={styles.entry}>
            <Sample colour="var(--running)" /> running
          </span>
          <span className={styles.entry}>
            <Sample colour={stateColour("cancelled")} level={2} /> all cancelled
          </span>
          <span className={styles.entry}>
            <Sample colour={stateColour("skipped")} level={2} /> all skipped
          </span>
        </>
      ) : (
        <span className={styles.entry}>
          shorter
          {[1, 2, 3, 4].map((level) => (
            <Sample key={level} colour="var(--accent)" level={level} />
          ))}
          longer
        </span>
      )}
      <span className={styles.entry}>
        <span className={styles.fireSample} aria-hidden /> to come
      </span>
      <span className={styles.entry}>Days of {timezone}</span>
    </span>
  );
}

function Sample({ colour, level = 4 }: { colour: string; level?: number }) {
  return (
    <span className={styles.sample} data-level={level} style={{ color: colour }} aria-hidden />
  );
}
