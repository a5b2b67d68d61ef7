import type { HTMLAttributes } from "react";
import { ticks } from "@/lib/gantt/axis.ts";
import { type Scale, xOf } from "@/lib/gantt/bars.ts";
import { zone, zonePlace } from "@/lib/time.ts";
import styles from "./TimeAxis.module.css";

interface Props extends HTMLAttributes<HTMLDivElement> {
  scale: Scale;
  /** The width of the names at the left. */
  labels: number;
  height: number;
  /** Null: it is not in sight, or nothing goes on. */
  now: number | null;
  /** How close two marks may be. */
  room?: number;
}

const NOW_PX = 44; // a word beside "now" would be under it

/** The hours above, with the place whose clock they are of, their lines through all rows, and now. What it is given stands in its row. */
export function TimeAxis({
  scale,
  labels,
  height,
  now,
  room,
  className = "",
  children,
  ...row
}: Props) {
  const marks = ticks(scale.from, scale.to, scale.width, room).map((tick) => ({
    ...tick,
    x: xOf(tick.at, scale),
  }));
  const nowX = now === null ? null : xOf(now, scale);
  const clear = marks.filter(({ x }) => nowX === null || Math.abs(x - nowX) > NOW_PX);
  return (
    <>
      <div className={`${styles.axis} ${className}`} {...row}>
        {children}
        <span className={styles.zone} style={{ width: labels }} title={`Times are in ${zone()}`}>
          {zonePlace()}
        </span>
        {clear.map(({ at, x, label }) => (
          <span key={at} className={styles.tick} style={{ left: labels + x }}>
            {label}
          </span>
        ))}
        {nowX !== null && (
          <span className={styles.nowWord} style={{ left: labels + nowX }}>
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
        {marks.map(({ at, x }) => (
          <line key={at} className={styles.line} x1={x} x2={x} y1={0} y2={height} />
        ))}
        {nowX !== null && <line className={styles.now} x1={nowX} x2={nowX} y1={0} y2={height} />}
      </svg>
    </>
  );
}
