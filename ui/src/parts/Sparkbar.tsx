import styles from "./Sparkbar.module.css";
import { stateColour } from "./State.tsx";

export interface Bar {
  key: string;
  state: string;
  /** Seconds, or anything else that is compared; null: not known yet. */
  value: number | null;
  title: string;
  /** Something failed inside it, although it succeeded. */
  flawed?: boolean;
}

const [LEAST_PX, MOST_PX] = [5, 20];

/** How tall each bar is: the largest fills the height, and no bar is lost from sight. */
export function heights(values: readonly (number | null)[]): number[] {
  const most = Math.max(0, ...values.map((value) => value ?? 0));
  return values.map((value) =>
    most === 0 || value === null
      ? LEAST_PX + 3
      : Math.round(LEAST_PX + (MOST_PX - LEAST_PX) * (value / most)),
  );
}

/** The latest runs as bars: colour is the state, height the duration. */
export function Sparkbar({ bars }: { bars: readonly Bar[] }) {
  const tall = heights(bars.map((bar) => bar.value));
  return (
    <span className={styles.bars}>
      {bars.map((bar, index) => (
        <span
          key={bar.key}
          className={styles.bar}
          data-flawed={bar.flawed}
          style={{ height: tall[index], background: stateColour(bar.state) }}
          title={bar.title}
        />
      ))}
    </span>
  );
}
