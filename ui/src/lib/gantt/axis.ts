import { instantOf, offsetAt, zone } from "../time.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14, 30].map((n) => n * DAY),
];

export interface Tick {
  at: number;
  label: string;
}

/** Round moments of the clock that is shown, no closer than `room` allows. */
export function ticks(
  from: number,
  to: number,
  width: number,
  room = 96,
  timeZone: string = zone(),
): Tick[] {
  const most = Math.max(1, Math.floor(width / room));
  const step = STEPS.find((one) => (to - from) / one <= most) ?? Math.ceil((to - from) / most);
  const found: Tick[] = [];
  const format = formatFor(step, timeZone);
  const first = Math.ceil((from + offsetAt(from, timeZone)) / step) * step;
  // By the wall clock: where its offset changes, the marks behind stay round.
  for (let wall = first; ; wall += step) {
    const at = instantOf(wall, timeZone);
    if (at > to) return found;
    const last = found.at(-1)?.at ?? from - 1;
    if (at > last) found.push({ at, label: format(at) });
  }
}

function formatFor(step: number, timeZone: string): (at: number) => string {
  const clock = new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    second: step < MINUTE ? "2-digit" : undefined,
    fractionalSecondDigits: step < SECOND ? 3 : undefined,
    hourCycle: "h23",
    timeZone,
  });
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone });
  return (at) => {
    const time = clock.format(at);
    return step >= DAY || time === "00:00" || time === "00:00:00" ? day.format(at) : time;
  };
}
