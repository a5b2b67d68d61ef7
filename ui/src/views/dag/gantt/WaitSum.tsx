import { duration } from "@/lib/duration.ts";
import { WAIT_WORDS, type Wait } from "@/lib/gantt/waits.ts";
import styles from "./Gantt.module.css";
import { hatch } from "./waitLook.ts";

interface Props {
  worked_s: number;
  waits: readonly { wait: Wait; seconds: number }[];
}

/** Waiting or working? All of the run's time as one bar, the waiting by what it was for. */
export function WaitSum({ worked_s, waits }: Props) {
  const waited = waits.reduce((sum, one) => sum + one.seconds, 0);
  const all = waited + worked_s;
  if (all === 0) return null;
  return (
    <section className={styles.sum} aria-label="Waiting and working">
      <svg className={styles.sumBar} width="100%" height="12" aria-hidden>
        <Parts worked_s={worked_s} waits={waits} all={all} />
      </svg>
      <ul className={styles.sumWords}>
        <li>
          <Swatch fill="var(--success)" /> working <b>{duration(worked_s)}</b>
        </li>
        {waits.map(({ wait, seconds }) => (
          <li key={wait}>
            <Swatch fill={hatch(wait)} /> waited for {WAIT_WORDS[wait]} <b>{duration(seconds)}</b>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Parts({ worked_s, waits, all }: Props & { all: number }) {
  let from = worked_s / all;
  return (
    <>
      <rect width={percent(from)} height="12" style={{ fill: "var(--success)" }} opacity="0.8" />
      {waits.map(({ wait, seconds }) => {
        const x = from;
        from += seconds / all;
        return (
          <rect
            key={wait}
            x={percent(x)}
            width={percent(seconds / all)}
            height="12"
            fill={hatch(wait)}
          />
        );
      })}
    </>
  );
}

export function Swatch({ fill }: { fill: string }) {
  return (
    <svg width="12" height="12" aria-hidden>
      <rect
        width="12"
        height="12"
        rx="3"
        style={fill.startsWith("url") ? undefined : { fill }}
        fill={fill}
      />
    </svg>
  );
}

function percent(share: number): string {
  return `${(share * 100).toFixed(3)}%`;
}
