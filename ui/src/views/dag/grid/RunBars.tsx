import { Moon } from "lucide-react";
import { memo, useMemo } from "react";
import type { GridRun } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { between, duration } from "@/lib/duration.ts";
import { barHeights, dayLabels } from "@/lib/grid/bars.ts";
import { failedIn } from "@/lib/grid/cells.ts";
import type { Span } from "@/lib/grid/window.ts";
import { stateWord } from "@/lib/states.ts";
import { compact } from "@/lib/time.ts";
import { stateColour } from "@/parts/State.tsx";
import { useNow } from "@/state/now.ts";
import styles from "./Grid.module.css";
import { BAR } from "./geometry.ts";

interface Props {
  runs: readonly GridRun[];
  across: Span;
  pitch: number;
  changes: readonly number[];
  selected: string | undefined;
  cursor: number | null;
  left: number;
}

/** Above each column: how long its run took and how it ended. */
export const RunBars = memo(function RunBars(props: Props) {
  const { runs, across, pitch, changes, left } = props;
  const running = runs.some((run) => run.started_at && !run.ended_at);
  const now = useNow(running ? 5_000 : 86_400_000);
  const heights = useMemo(
    () =>
      barHeights(
        runs.map((run) => between(run.started_at, run.ended_at, now)),
        BAR,
      ),
    [runs, now],
  );
  const days = useMemo(
    () =>
      dayLabels(
        runs.map((run) => run.logical_date),
        Math.ceil(52 / pitch),
      ),
    [runs, pitch],
  );
  const inSight = (at: number) => at >= across.first && at < across.last;
  return (
    <>
      {days
        .filter(({ at }) => inSight(at))
        .map(({ at, label }) => (
          <span key={at} className={styles.day} style={{ left: left + at * pitch }} aria-hidden>
            {label}
          </span>
        ))}
      {changes.filter(inSight).map((at) => (
        <span
          key={at}
          className={styles.change}
          style={{ left: left + at * pitch - 1.5 }}
          aria-hidden
        />
      ))}
      {runs.slice(across.first, across.last).map((run, nth) => {
        const at = across.first + nth;
        const bar = heights[at];
        return (
          <div
            key={run.run_id}
            id={`run-${at}`}
            role="columnheader"
            tabIndex={-1}
            aria-colindex={at + 2}
            aria-label={labelOf(run, now)}
            aria-selected={props.selected === run.run_id}
            data-cursor={props.cursor === at}
            className={styles.run}
            style={{ left: left + at * pitch, width: pitch }}
          >
            <span
              className={`${styles.bar} ${bar?.cut ? styles.cut : ""}`}
              data-flawed={run.state === "success" && failedIn(run) > 0}
              style={{ height: bar?.height, background: stateColour(run.state) }}
            />
            {run.backfill_id && <Moon className={styles.moon} size={10} aria-hidden />}
          </div>
        );
      })}
    </>
  );
});

function labelOf(run: GridRun, now: number): string {
  const took = duration(between(run.started_at, run.ended_at, now));
  const backfill = run.backfill_id ? ", backfill" : "";
  const failed = run.state === "success" ? failedIn(run) : 0;
  const state = `${stateWord(run.state)}${failed > 0 ? ` with ${counted(failed, "failed task")}` : ""}`;
  return `Run of ${compact(run.logical_date, now)}, ${state}, ${took}, version ${run.version}${backfill}`;
}
