import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMemo } from "react";
import { calendar as calendarQuery } from "@/api/calendar.ts";
import { dayIn, daysAfter, dayWords, startOfDay } from "@/lib/calendar/weeks.ts";
import { zone } from "@/lib/time.ts";
import { Button } from "@/parts/Button.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { useSelection } from "@/state/selection.ts";
import styles from "./Calendar.module.css";
import { DayRuns } from "./DayRuns.tsx";
import { HeatMap } from "./HeatMap.tsx";
import { Legend } from "./Legend.tsx";

const route = getRouteApi("/t/$team/dags/$dag/calendar");
const [PAST_DAYS, FUTURE_DAYS] = [34 * 7, 8 * 7];
const SOON = 12;

/** How were the last months, and when will it run? Days are those of the clock that is shown. */
export function Calendar() {
  const { dag } = route.useParams();
  const { day, measure = "outcome" } = route.useSearch();
  const navigate = route.useNavigate();
  const [selection, select] = useSelection();
  const timezone = zone();
  const now = dayIn(Date.now(), timezone);
  const [from, to] = [daysAfter(now, -PAST_DAYS), daysAfter(now, FUTURE_DAYS)];
  const [first, end] = [startOfDay(from, timezone), startOfDay(to, timezone, 1)];
  const found = useQuery(calendarQuery(dag, first, end, timezone));
  const fires = useMemo(() => {
    const days = new Map<string, string[]>();
    for (const { at } of found.data?.fires ?? []) {
      const on = dayIn(at, timezone);
      days.set(on, [...(days.get(on) ?? []), at]);
    }
    return days;
  }, [found.data, timezone]);
  const counts = useMemo(() => new Map([...fires].map(([on, list]) => [on, list.length])), [fires]);
  const change = (next: { day?: string; measure?: "duration" }) =>
    navigate({ search: (before) => ({ ...before, ...next }), replace: true });
  if (found.isError && !found.data)
    return <ErrorState error={found.error} what="The calendar" retry={() => found.refetch()} />;
  if (!found.data) return <SkeletonRows count={8} />;
  return (
    <div className={styles.view}>
      <div className={styles.tools}>
        <Legend measure={measure} timezone={timezone} />
        <Button
          small
          look="quiet"
          aria-pressed={measure === "outcome"}
          onClick={() => change({ measure: undefined })}
        >
          Outcome
        </Button>
        <Button
          small
          look="quiet"
          aria-pressed={measure === "duration"}
          onClick={() => change({ measure: "duration" })}
        >
          Duration
        </Button>
      </div>
      <HeatMap
        from={from}
        to={to}
        today={now}
        days={found.data.days}
        fires={counts}
        measure={measure}
        selected={day}
        choose={(chosen) => change({ day: chosen === day ? undefined : chosen })}
      />
      <div className={styles.below}>
        {day && (
          <DayRuns
            dag={dag}
            day={day}
            timezone={timezone}
            fires={fires.get(day) ?? []}
            selected={selection.run}
            select={(run) => select({ run })}
          />
        )}
        <Next fires={found.data.fires} timezone={timezone} />
      </div>
    </div>
  );
}

function Next({ fires, timezone }: { fires: readonly { at: string }[]; timezone: string }) {
  const clock = new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    timeZone: timezone,
  });
  return (
    <section className={styles.panel} aria-label="Next runs">
      <h2>Next runs</h2>
      {fires.length === 0 && <p className={styles.quiet}>No scheduled runs.</p>}
      <ul>
        {fires.slice(0, SOON).map(({ at }) => (
          <li key={at} className={styles.run}>
            <time dateTime={at}>
              {dayWords(dayIn(at, timezone))}, {clock.format(Date.parse(at))}
            </time>
          </li>
        ))}
      </ul>
    </section>
  );
}
