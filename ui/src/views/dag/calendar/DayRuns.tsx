import { useQuery } from "@tanstack/react-query";
import { runsBetween } from "@/api/calendar.ts";
import { dayWords, startOfDay } from "@/lib/calendar/weeks.ts";
import { Button } from "@/parts/Button.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { StateBadge } from "@/parts/State.tsx";
import { Elapsed } from "@/parts/Time.tsx";
import styles from "./Calendar.module.css";

interface Props {
  dag: string;
  day: string;
  timezone: string;
  fires: readonly string[];
  selected: string | undefined;
  select: (run: string) => void;
}

/** A day in full: its runs, and the ones to come. */
export function DayRuns({ dag, day, timezone, fires, selected, select }: Props) {
  const [from, to] = [startOfDay(day, timezone), startOfDay(day, timezone, 1)];
  const found = useQuery(runsBetween(dag, from, to));
  const clock = new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    timeZone: timezone,
  });
  if (found.isError)
    return <ErrorState error={found.error} what="The day's runs" retry={() => found.refetch()} />;
  const runs = found.data?.items ?? [];
  return (
    <section className={styles.panel} aria-label={dayWords(day)}>
      <h2>{dayWords(day)}</h2>
      {found.data && runs.length === 0 && fires.length === 0 && (
        <p className={styles.quiet}>No runs.</p>
      )}
      <ul>
        {runs.map((run) => (
          <li key={run.run_id} className={styles.run}>
            <time dateTime={run.logical_date}>{clock.format(Date.parse(run.logical_date))}</time>
            <StateBadge state={run.state} failed={run.counts.failed} />
            <Elapsed from={run.started_at} to={run.ended_at} />
            <Button
              small
              look="quiet"
              aria-pressed={selected === run.run_id}
              onClick={() => select(run.run_id)}
            >
              Show
            </Button>
          </li>
        ))}
        {fires.map((at) => (
          <li key={at} className={styles.run}>
            <time dateTime={at}>{clock.format(Date.parse(at))}</time>
            <span className={styles.quiet}>will start</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
