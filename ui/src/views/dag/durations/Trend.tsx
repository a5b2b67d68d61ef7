import { ArrowDownRight, ArrowRight, ArrowUpRight } from "lucide-react";
import styles from "./Durations.module.css";

const STEADY_PCT = 5;

/** Slower or faster than before; small changes are no news. */
export function Trend({ pct }: { pct: number | null }) {
  if (pct === null)
    return (
      <span className={styles.quiet} title="too few runs">
        –
      </span>
    );
  const steady = Math.abs(pct) < STEADY_PCT;
  const Sign = steady ? ArrowRight : pct > 0 ? ArrowUpRight : ArrowDownRight;
  const word = steady ? "steady" : pct > 0 ? "slower" : "faster";
  return (
    <span className={styles.trend} data-trend={word}>
      <Sign size={14} aria-hidden />
      {steady ? word : `${Math.round(Math.abs(pct))}% ${word}`}
    </span>
  );
}
