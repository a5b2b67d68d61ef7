import { TriangleAlert } from "lucide-react";
import { Fragment, type ReactNode } from "react";
import { counted, number } from "@/lib/count.ts";
import { isState, stateWord, tally } from "@/lib/states.ts";
import styles from "./State.module.css";
import { SIGNS } from "./stateIcons.ts";

/** The colour of a state's marks, and of its words. */
export function stateColour(state: string): string {
  return isState(state) ? `var(--${state})` : "var(--waiting)";
}

export function stateInk(state: string): string {
  return isState(state) ? `var(--${state}-ink)` : "var(--waiting-ink)";
}

/** The state as a sign. With `label` it is an image with that name, else it only decorates. */
export function StateIcon({
  state,
  size = 16,
  label,
}: {
  state: string;
  size?: number;
  label?: boolean;
}) {
  const sign = SIGNS[isState(state) ? state : "waiting"];
  const colour = stateColour(state);
  const named = label
    ? ({ role: "img", "aria-label": stateWord(state) } as const)
    : ({ "aria-hidden": true } as const);
  return (
    <svg
      className={`${styles.icon} ${state === "running" ? styles.spin : ""}`}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      strokeLinecap="round"
      strokeLinejoin="round"
      {...named}
    >
      {sign.solid && <circle cx="8" cy="8" r="6.75" fill={colour} />}
      <path
        d={sign.d}
        stroke={sign.solid ? "var(--surface)" : colour}
        strokeWidth={sign.solid ? 1.6 : 1.8}
        strokeDasharray={state === "waiting" ? "2.1 2.6" : undefined}
      />
    </svg>
  );
}

/** `failed`: how many task instances failed; of a run that succeeded all the same, an amber sign says so. */
export function StateBadge({ state, failed = 0 }: { state: string; failed?: number | undefined }) {
  const flawed = state === "success" && failed > 0;
  return (
    <span className={styles.badge} style={{ color: stateInk(state) }}>
      {flawed ? <Flaw failed={failed} /> : <StateIcon state={state} />}
      {stateWord(state)}
    </span>
  );
}

/** That something failed inside what succeeded. */
export function Flaw({ failed, size = 16 }: { failed: number; size?: number }) {
  const words = `${counted(failed, "task instance")} failed`;
  return (
    <span className={styles.flaw} role="img" aria-label={words} title={words}>
      <TriangleAlert size={size} aria-hidden />
    </span>
  );
}

export function StateDot({ state }: { state: string }) {
  return <span className={styles.dot} style={{ background: stateColour(state) }} aria-hidden />;
}

/** How many are in which state, the most telling first. `within` makes of each the way to its list. */
export function StateCounts({
  counts,
  within = (_state, shown) => shown,
}: {
  counts: Readonly<Record<string, number>>;
  within?: (state: string, shown: ReactNode) => ReactNode;
}) {
  return (
    <span className={styles.counts}>
      {tally(counts).map(([state, count]) => (
        <Fragment key={state}>
          {within(
            state,
            <span
              className={styles.count}
              style={{ color: stateInk(state) }}
              title={`${number(count)} ${stateWord(state)}`}
            >
              <StateIcon state={state} size={14} label />
              {number(count)}
            </span>,
          )}
        </Fragment>
      ))}
    </span>
  );
}
