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

/** Round moments of the reader's clock, no closer than `room` allows. */
export function ticks(
  from: number,
  to: number,
  width: number,
  room = 96,
  timeZone?: string,
): Tick[] {
  const most = Math.max(1, Math.floor(width / room));
  const step = STEPS.find((one) => (to - from) / one <= most) ?? Math.ceil((to - from) / most);
  const shift = offsetOf(from, timeZone);
  const found: Tick[] = [];
  const first = Math.ceil((from + shift) / step) * step - shift;
  const format = formatFor(step, timeZone);
  for (let at = first; at <= to; at += step) found.push({ at, label: format(at) });
  return found;
}

function formatFor(step: number, timeZone: string | undefined): (at: number) => string {
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

/** How far the zone's clock is ahead of UTC, in milliseconds. */
function offsetOf(at: number, timeZone: string | undefined): number {
  const parts = new Intl.DateTimeFormat("en-CA", {
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZone,
  }).formatToParts(at);
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value);
  const local = Date.UTC(
    part("year"),
    part("month") - 1,
    part("day"),
    part("hour"),
    part("minute"),
    part("second"),
  );
  return local - Math.floor(at / SECOND) * SECOND;
}
