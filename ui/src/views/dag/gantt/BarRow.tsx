import { memo } from "react";
import { number } from "@/lib/count.ts";
import { duration } from "@/lib/duration.ts";
import { type Row, type Scale, type Stretch, stretchesOf } from "@/lib/gantt/bars.ts";
import { instanceName } from "@/lib/instances.ts";
import { stateWord } from "@/lib/states.ts";
import { StateIcon, stateColour } from "@/parts/State.tsx";
import styles from "./Gantt.module.css";
import { hatch } from "./waitLook.ts";

export const ROW = 26;

interface Props {
  row: Row;
  index: number;
  scale: Scale;
  now: number;
  labels: number;
  selected: boolean;
  reached: boolean;
}

/** One instance: its name, then its time; thin where it waited, thick where it worked. */
export const BarRow = memo(function BarRow(props: Props) {
  const { row, index, scale, now } = props;
  const { bar } = row;
  const { stretches, ghost } = stretchesOf(bar, scale, now);
  return (
    <button
      type="button"
      className={styles.row}
      data-index={index}
      aria-pressed={props.selected}
      aria-label={wordsOf(row)}
      tabIndex={props.reached ? 0 : -1}
      style={{ top: index * ROW, height: ROW }}
    >
      <span className={styles.name} style={{ width: props.labels }}>
        <StateIcon state={bar.state} size={14} />
        <span className={styles.label} title={bar.task_id}>
          {bar.task_id}
        </span>
        {bar.map_index >= 0 && (
          <span
            className={bar.rendered_map_index ? styles.called : styles.index}
            title={instanceName(bar)}
          >
            {bar.rendered_map_index || `[${number(bar.map_index)}]`}
          </span>
        )}
      </span>
      <svg className={styles.time} width={scale.width} height={ROW} aria-hidden>
        {stretches.map((stretch) => (
          <Part key={stretch.segment.from + stretch.segment.kind} {...stretch} />
        ))}
        {ghost && (
          <rect
            className={styles.ghost}
            x={ghost.x}
            y={6.5}
            width={Math.max(2, ghost.width)}
            height={13}
            rx="3"
          />
        )}
      </svg>
    </button>
  );
});

function Part({ x, width, wait, segment }: Stretch) {
  if (wait === "upstream")
    return <line className={styles.upstream} x1={x} x2={x + width} y1={13} y2={13} />;
  if (wait) return <rect x={x} y={10} width={width} height={6} rx="1" fill={hatch(wait)} />;
  const state = segment.state ?? "running";
  const several = (segment.attempt ?? 1) > 1 || state === "failed" || state === "lost";
  return (
    <>
      <rect
        x={x}
        y={6}
        width={width}
        height={14}
        rx="3"
        style={{ fill: stateColour(segment.to ? state : "running") }}
      />
      {several && (
        <circle className={styles.dot} cx={x} cy={13} r={4} style={{ fill: stateColour(state) }} />
      )}
    </>
  );
}

function wordsOf({ bar, worked_s, waited_s }: Row): string {
  const index = bar.rendered_map_index || bar.map_index;
  const name = bar.map_index >= 0 ? `${bar.task_id} ${index}` : bar.task_id;
  const attempts = bar.attempts > 1 ? `, ${bar.attempts} attempts` : "";
  return `${name}, ${stateWord(bar.state)}, ran ${duration(worked_s)}, waited ${duration(waited_s)}${attempts}`;
}
