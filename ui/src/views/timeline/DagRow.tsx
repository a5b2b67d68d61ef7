import { Link } from "@tanstack/react-router";
import { memo } from "react";
import { between, duration, took } from "@/lib/duration.ts";
import type { Scale } from "@/lib/gantt/bars.ts";
import { stateWord } from "@/lib/states.ts";
import { absolute } from "@/lib/time.ts";
import {
  type Ghost,
  ghostPlaced,
  type DagRow as Row,
  type RunBar,
  runPlaced,
} from "@/lib/timeline/rows.ts";
import { DagLink } from "@/parts/links.tsx";
import { stateColour } from "@/parts/State.tsx";
import { useTeam } from "@/state/session.ts";
import styles from "./Timeline.module.css";

export const ROW = 28;

interface Props {
  row: Row;
  index: number;
  scale: Scale;
  labels: number;
  now: number;
}

/**
 * A DAG: its runs as bars that lead to them, what will run as frames that lead to its calendar. Bars are
 * as narrow as their time is; the keyboard reaches them from the DAG's name with the arrows.
 */
export const DagRow = memo(function DagRow({ row, index, scale, labels, now }: Props) {
  const team = useTeam();
  return (
    <li className={styles.row} data-row style={{ top: index * ROW, height: ROW }}>
      <span className={styles.name} style={{ width: labels }}>
        <DagLink dag={row.dag} />
      </span>
      <span className={styles.time} style={{ width: scale.width }}>
        {row.runs.map((run) => {
          const place = runPlaced(run, scale, now);
          if (!place) return null;
          const said = runWords(run, now);
          return (
            <Link
              key={run.run_id}
              className={styles.bar}
              to="/t/$team/runs/$run"
              params={{ team, run: run.run_id }}
              preload={false}
              tabIndex={-1}
              data-bar
              title={said}
              aria-label={`Run of ${row.dag}: ${said}`}
              style={{ left: place.x, width: place.width, background: stateColour(run.state) }}
            />
          );
        })}
        {row.ghosts.map((ghost) => {
          const place = ghostPlaced(ghost, scale);
          if (!place) return null;
          const said = ghostWords(ghost);
          return (
            <Link
              key={ghost.at}
              className={styles.ghost}
              to="/t/$team/dags/$dag/calendar"
              params={{ team, dag: row.dag }}
              preload={false}
              tabIndex={-1}
              data-bar
              title={said}
              aria-label={`${row.dag}: ${said}`}
              style={{ left: place.x, width: place.width }}
            />
          );
        })}
      </span>
    </li>
  );
});

function runWords(run: RunBar, now: number): string {
  const lasts = took(between(run.started_at, run.ended_at, now));
  const end = run.ended_at ? `to ${absolute(run.ended_at)}` : "until now";
  return `${stateWord(run.state)}, ${absolute(run.started_at)} ${end} (${lasts})`;
}

function ghostWords(ghost: Ghost): string {
  const lasts = ghost.expected_s === null ? "" : `, usually ${duration(ghost.expected_s)}`;
  return `will run ${absolute(ghost.at)}${lasts}`;
}
