import type { HTMLAttributes } from "react";
import { ticks } from "@/lib/gantt/axis.ts";
import { type Scale, xOf } from "@/lib/gantt/bars.ts";
import styles from "./Gantt.module.css";

/** The hours above, their lines through all rows, and now. */
export function Axis({
  scale,
  labels,
  height,
  now,
  drag,
  hand,
}: {
  scale: Scale;
  labels: number;
  height: number;
  now: number | null;
  /** The part that is being chosen, and what the axis does with a pointer. */
  drag: { from: number; to: number } | null;
  hand: HTMLAttributes<HTMLDivElement>;
}) {
  const marks = ticks(scale.from, scale.to, scale.width);
  return (
    <>
      <div className={styles.axis} title="Drag to see that part" {...hand}>
        {drag && (
          <span
            className={styles.drag}
            style={{ left: labels + drag.from, width: drag.to - drag.from }}
          />
        )}
        <span className={styles.corner} style={{ width: labels }}>
          Task
        </span>
        {marks.map(({ at, label }) => (
          <span key={at} className={styles.tick} style={{ left: labels + xOf(at, scale) }}>
            {label}
          </span>
        ))}
        {now !== null && (
          <span className={styles.nowWord} style={{ left: labels + xOf(now, scale) }}>
            now
          </span>
        )}
      </div>
      <svg
        className={styles.lines}
        style={{ left: labels }}
        width={scale.width}
        height={height}
        aria-hidden
      >
        {marks.map(({ at }) => (
          <line
            key={at}
            className={styles.line}
            x1={xOf(at, scale)}
            x2={xOf(at, scale)}
            y1={0}
            y2={height}
          />
        ))}
        {now !== null && (
          <line
            className={styles.now}
            x1={xOf(now, scale)}
            x2={xOf(now, scale)}
            y1={0}
            y2={height}
          />
        )}
      </svg>
    </>
  );
}
