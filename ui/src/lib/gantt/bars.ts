import type { Bar, Segment } from "@/api/types.ts";
import { between } from "../duration.ts";
import type { Wait } from "./waits.ts";

export interface Row {
  bar: Bar;
  id: string;
  /** When something other than its upstream tasks could hold it, else its first sign of life. */
  start: number;
  waited_s: number;
  worked_s: number;
}

export type Order = "start" | "duration" | "wait";

export function rowsOf(bars: readonly Bar[], now: number): Row[] {
  return bars.map((bar) => {
    let [waited, worked] = [0, 0];
    let start = Number.POSITIVE_INFINITY;
    for (const segment of bar.segments) {
      const seconds = lengthOf(segment, now);
      if (segment.kind === "running") worked += seconds;
      else if (segment.kind !== "upstream") waited += seconds;
      if (segment.kind !== "upstream") start = Math.min(start, Date.parse(segment.from));
    }
    const id = `${bar.task_id} ${bar.map_index}`;
    return { bar, id, start, waited_s: waited, worked_s: worked };
  });
}

export function lengthOf(segment: Segment, now: number): number {
  return between(segment.from, segment.to, now) ?? 0;
}

/** What has not begun stands last; equal ones keep the order of the spec. */
export function ordered(rows: readonly Row[], by: Order): Row[] {
  const compare: Record<Order, (a: Row, b: Row) => number> = {
    start: (a, b) => (a.start === b.start ? 0 : a.start - b.start),
    duration: (a, b) => b.worked_s - a.worked_s,
    wait: (a, b) => b.waited_s - a.waited_s,
  };
  return [...rows].sort(compare[by]);
}

export interface Scale {
  from: number;
  to: number;
  width: number;
}

export function xOf(at: number, scale: Scale): number {
  return ((at - scale.from) / Math.max(1, scale.to - scale.from)) * scale.width;
}

export interface Stretch {
  x: number;
  width: number;
  wait: Wait | null;
  segment: Segment;
}

/** Where the parts of a row lie, none thinner than can be seen, and the expected rest. */
export function stretchesOf(
  bar: Bar,
  scale: Scale,
  now: number,
): { stretches: Stretch[]; ghost: { x: number; width: number } | null } {
  const stretches = bar.segments.map((segment) => {
    const x = xOf(Date.parse(segment.from), scale);
    const end = xOf(segment.to ? Date.parse(segment.to) : now, scale);
    const running = segment.kind === "running";
    return { x, width: Math.max(running ? 2 : 1, end - x), wait: segment.wait, segment };
  });
  return { stretches, ghost: ghostOf(bar, scale, now) };
}

/** The rest that its history makes expect; nothing once it has taken longer than expected. */
function ghostOf(bar: Bar, scale: Scale, now: number): { x: number; width: number } | null {
  const open = bar.segments.at(-1);
  if (!open || open.to || open.kind !== "running" || !bar.expected_s) return null;
  const until = Date.parse(open.from) + bar.expected_s * 1000;
  const x = xOf(now, scale);
  return until > now ? { x, width: xOf(until, scale) - x } : null;
}

/** From the first sign of life to the last, or to what is expected of what still runs. */
export function spanOf(
  bars: readonly Bar[],
  run: { started_at: string | null; created_at: string; ended_at: string | null },
  now: number,
): { from: number; to: number } {
  let from = Date.parse(run.started_at ?? run.created_at);
  let to = run.ended_at ? Date.parse(run.ended_at) : now;
  for (const bar of bars)
    for (const segment of bar.segments) {
      from = Math.min(from, Date.parse(segment.from));
      to = Math.max(to, segment.to ? Date.parse(segment.to) : now);
      if (!segment.to && segment.kind === "running" && bar.expected_s)
        to = Math.max(to, Date.parse(segment.from) + bar.expected_s * 1000);
    }
  return { from, to: Math.max(to, from + 10) };
}
