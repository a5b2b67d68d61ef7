import type { HTMLAttributes } from "react";
import type { Scale } from "@/lib/gantt/bars.ts";
import { TimeAxis } from "@/parts/TimeAxis.tsx";
import styles from "./Gantt.module.css";

interface Props {
  scale: Scale;
  labels: number;
  height: number;
  now: number | null;
  /** The part that is being chosen, and what the axis does with a pointer. */
  drag: { from: number; to: number } | null;
  hand: HTMLAttributes<HTMLDivElement>;
}

/** The axis of time, on which a part can be chosen. */
export function Axis({ scale, labels, height, now, drag, hand }: Props) {
  return (
    <TimeAxis
      scale={scale}
      labels={labels}
      height={height}
      now={now}
      className={styles.axis}
      title="Drag to zoom in"
      {...hand}
    >
      {drag && (
        <span
          className={styles.drag}
          style={{ left: labels + drag.from, width: drag.to - drag.from }}
        />
      )}
      <span className={styles.corner} style={{ width: labels }}>
        Task
      </span>
    </TimeAxis>
  );
}
