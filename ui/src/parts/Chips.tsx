import type { ReactNode } from "react";
import { number } from "@/lib/count.ts";
import styles from "./Chips.module.css";
import { StateIcon } from "./State.tsx";

/** How many there are of each, as the ways to see these only. */
export function Chips({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className={styles.chips} role="group" aria-label={label}>
      {children}
    </div>
  );
}

export function Chip({
  state,
  word,
  count,
  on,
  choose,
}: {
  state?: string;
  word: string;
  count: number;
  on: boolean;
  choose: () => void;
}) {
  return (
    <button type="button" className={styles.chip} aria-pressed={on} onClick={choose}>
      {state && <StateIcon state={state} size={14} />}
      {word} <span className="tabular">{number(count)}</span>
    </button>
  );
}
