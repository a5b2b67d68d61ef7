import { useRef, useState } from "react";
import type { DurationDay } from "@/api/types.ts";
import { daysAfter, dayWords } from "@/lib/calendar/weeks.ts";
import { counted } from "@/lib/count.ts";
import { duration } from "@/lib/duration.ts";
import { niceSteps } from "@/lib/durationAxis.ts";
import { useWidth } from "../gantt/useWidth.ts";
import { Fact, HoverCard, hoverStyles } from "../HoverCard.tsx";
import styles from "./Durations.module.css";

const [HEIGHT, TOP, LEFT, BOTTOM] = [220, 8, 64, 24];

interface Props {
  days: readonly DurationDay[];
  first: string;
  count: number;
}

/** A column a day: solid to the median, faint to the 95th percentile, a red foot for failures. */
export function DaysChart({ days, first, count }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const [tip, setTip] = useState<{ day: DurationDay; x: number; y: number } | null>(null);
  const known = new Map(days.map((day) => [day.day, day]));
  const most = Math.max(1, ...days.map((day) => day.p95_s ?? day.p50_s ?? 0));
  const steps = niceSteps(most, 4);
  const top = steps.at(-1) ?? most;
  const yOf = (seconds: number) => TOP + (1 - seconds / top) * (HEIGHT - TOP - BOTTOM);
  const pitch = Math.max(1, (width - LEFT - 8) / count);
  const bar = Math.min(22, pitch * 0.64);
  return (
    <div ref={frame} className={styles.chart}>
      <svg
        width={width}
        height={HEIGHT}
        role="img"
        aria-label={spoken(days)}
        onPointerLeave={() => setTip(null)}
      >
        {steps.map((step) => (
          <g key={step}>
            <line className={styles.rule} x1={LEFT} x2={width} y1={yOf(step)} y2={yOf(step)} />
            <text className={styles.mark} x={LEFT - 10} y={yOf(step) + 4} textAnchor="end">
              {step === 0 ? "0" : duration(step)}
            </text>
          </g>
        ))}
        {Array.from({ length: count }, (_, at) => {
          const name = daysAfter(first, at);
          const day = known.get(name);
          const x = LEFT + at * pitch;
          return (
            <g key={name}>
              {day && <Column day={day} x={x + (pitch - bar) / 2} width={bar} yOf={yOf} />}
              {at % 7 === 0 && (
                <text className={styles.mark} x={x + pitch / 2} y={HEIGHT - 6} textAnchor="middle">
                  {dayWords(name).slice(4, -5)}
                </text>
              )}
              {day && (
                <rect
                  x={x}
                  y={0}
                  width={pitch}
                  height={HEIGHT - BOTTOM}
                  fill="transparent"
                  onPointerMove={(event) => setTip({ day, x: event.clientX, y: event.clientY })}
                />
              )}
            </g>
          );
        })}
      </svg>
      {tip && <DayTip {...tip} />}
    </div>
  );
}

function Column({
  day,
  x,
  width,
  yOf,
}: {
  day: DurationDay;
  x: number;
  width: number;
  yOf: (seconds: number) => number;
}) {
  const base = yOf(0);
  const [p50, p95] = [yOf(day.p50_s ?? 0), yOf(day.p95_s ?? day.p50_s ?? 0)];
  return (
    <>
      <rect className={styles.p95} x={x} y={p95} width={width} height={base - p95} rx="2" />
      <rect className={styles.p50} x={x} y={p50} width={width} height={base - p50} rx="2" />
      {day.failed > 0 && (
        <rect className={styles.failed} x={x} y={base + 2} width={width} height={3} rx="1.5" />
      )}
    </>
  );
}

function DayTip({ day, x, y }: { day: DurationDay; x: number; y: number }) {
  return (
    <HoverCard x={x} y={y}>
      <p className={hoverStyles.title}>{dayWords(day.day)}</p>
      <dl>
        <Fact name="median" value={duration(day.p50_s)} />
        <Fact name="95th percentile" value={duration(day.p95_s)} />
        <Fact name="runs" value={String(day.count)} />
        {day.failed > 0 && <Fact name="failed" value={String(day.failed)} />}
      </dl>
    </HoverCard>
  );
}

function spoken(days: readonly DurationDay[]): string {
  const last = days.at(-1);
  if (!last) return "No runs";
  return `Median duration by day, ${counted(days.length, "day")}; ${dayWords(last.day)}: ${duration(last.p50_s)}`;
}
