import type { Attempt } from "@/api/types.ts";
import { StateIcon } from "@/parts/State.tsx";
import { Elapsed, RelativeTime } from "@/parts/Time.tsx";
import styles from "./Drawer.module.css";
import { Section } from "./Section.tsx";

/** Each attempt: how it went, how long it took, where. The one that is chosen has its log below. */
export function Attempts({
  attempts,
  shown,
  show,
}: {
  attempts: readonly Attempt[];
  shown: number | undefined;
  show: (number: number) => void;
}) {
  return (
    <Section title="Attempts">
      <ul className={styles.attempts}>
        {attempts.map((attempt) => (
          <li key={attempt.number}>
            <button
              type="button"
              className={styles.attempt}
              aria-pressed={attempt.number === shown}
              onClick={() => show(attempt.number)}
            >
              <StateIcon state={attempt.state} size={14} label />
              <span className="tabular">{attempt.number}</span>
              <span className={styles.cause}>{causeOf(attempt)}</span>
              <span className={styles.when}>
                {attempt.started_at ? (
                  <Elapsed from={attempt.started_at} to={attempt.ended_at} />
                ) : (
                  <RelativeTime at={attempt.queued_at} />
                )}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function causeOf({ cause, exit_code, line, agent, detail }: Attempt): string {
  const failed = [detail?.trim().split("\n").at(-1) || cause];
  if (exit_code) failed.push(`exit code ${exit_code}`);
  if (line) failed.push(`line ${line}`);
  return failed.filter(Boolean).join(" · ") || (agent ? `on ${agent}` : "");
}
