import { type KeyboardEvent, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { Day } from "@/api/types.ts";
import { durationHeat, type Heat, type Measure, outcomeHeat, runsOf } from "@/lib/calendar/heat.ts";
import { daysAfter, dayWords, monthsOf, weeksOf } from "@/lib/calendar/weeks.ts";
import { counted } from "@/lib/count.ts";
import { duration } from "@/lib/duration.ts";
import { stateColour } from "@/parts/State.tsx";
import styles from "./Calendar.module.css";

interface Props {
  from: string;
  to: string;
  today: string;
  days: readonly Day[];
  /** How many runs will start on a day. */
  fires: ReadonlyMap<string, number>;
  measure: Measure;
  selected: string | undefined;
  choose: (day: string) => void;
}

const WEEKDAYS = ["Mon", "", "Wed", "", "Fri", "", "Sun"];
const STEPS: Record<string, number> = { ArrowLeft: -7, ArrowRight: 7, ArrowUp: -1, ArrowDown: 1 };

/** Weeks as columns, days as rows: what was, and dots for what will be. */
export function HeatMap(props: Props) {
  const { from, to, today, selected } = props;
  const weeks = useMemo(() => weeksOf(from, to), [from, to]);
  const known = useMemo(() => new Map(props.days.map((day) => [day.day, day])), [props.days]);
  const longest = Math.max(0, ...props.days.map((day) => day.duration_s ?? 0));
  const [reached, setReached] = useState(selected ?? today);
  const map = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    // Where not all weeks fit, today is what one came for.
    const cell = map.current?.querySelector(`[data-day="${today}"]`);
    if (!map.current || !cell) return;
    const left = cell.getBoundingClientRect().left - map.current.getBoundingClientRect().left;
    map.current.scrollLeft += left - map.current.clientWidth / 2;
  }, [today]);
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = STEPS[event.key];
    const next = step === undefined ? null : daysAfter(reached, step);
    if (!next || next < from || next > to) return;
    event.preventDefault();
    setReached(next);
    event.currentTarget.querySelector<HTMLElement>(`[data-day="${next}"]`)?.focus();
  };
  const heatOf = (day: Day | undefined): Heat => {
    if (!day) return { state: null, level: 0 };
    return props.measure === "outcome" ? outcomeHeat(day) : durationHeat(day, longest);
  };
  return (
    <div ref={map} className={styles.map} role="group" aria-label="Days" onKeyDown={onKeyDown}>
      <div className={styles.months} aria-hidden>
        {monthsOf(weeks).map(({ at, label }) => (
          <span key={at} style={{ gridColumn: at + 2 }}>
            {label}
          </span>
        ))}
      </div>
      <div className={styles.weeks}>
        <div className={styles.week} aria-hidden>
          {WEEKDAYS.map((word, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the seven days
            <span key={at} className={styles.weekday}>
              {word}
            </span>
          ))}
        </div>
        {weeks.map((week) => (
          <div key={week[0]} className={styles.week}>
            {week.map((day) => {
              if (day < from || day > to) return <span key={day} className={styles.none} />;
              const found = known.get(day);
              const fires = day >= today ? (props.fires.get(day) ?? 0) : 0;
              const heat = heatOf(found);
              return (
                <button
                  key={day}
                  type="button"
                  className={styles.day}
                  data-day={day}
                  data-level={heat.level}
                  data-today={day === today}
                  data-future={day > today}
                  aria-pressed={day === selected}
                  aria-label={wordsOf(day, found, fires)}
                  title={wordsOf(day, found, fires)}
                  tabIndex={day === reached ? 0 : -1}
                  style={{ color: heat.state ? stateColour(heat.state) : "var(--accent)" }}
                  onClick={() => {
                    setReached(day);
                    props.choose(day);
                  }}
                >
                  {fires > 0 && (
                    <span className={styles.fire}>{fires > 1 ? Math.min(fires, 99) : ""}</span>
                  )}
                </button>
              );
            })}
          </div>
        ))}
      </div>
    </div>
  );
}

function wordsOf(day: string, found: Day | undefined, fires: number): string {
  const parts = found
    ? [
        counted(runsOf(found), "run"),
        found.failed > 0 && `${found.failed} failed`,
        found.cancelled > 0 && `${found.cancelled} cancelled`,
        found.skipped > 0 && `${found.skipped} skipped`,
        found.running > 0 && `${found.running} running`,
        found.duration_s !== null && duration(found.duration_s),
      ]
    : [fires === 0 && "no runs"];
  if (fires > 0) parts.push(`${counted(fires, "run")} scheduled`);
  return `${dayWords(day)}: ${parts.filter(Boolean).join(", ")}`;
}
