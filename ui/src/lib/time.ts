import { coarse } from "./duration.ts";

let shown: string | undefined;

/** Show times in this zone from now on; undefined: in that of the reader's machine. */
export function showIn(timeZone: string | undefined): void {
  shown = timeZone;
}

/** `3 m ago`, `in 2 h 5 m`, `now`: seldom more exact than a glance needs. */
export function relative(instant: string, now: number): string {
  const seconds = (now - Date.parse(instant)) / 1000;
  if (Math.abs(seconds) < 5) return "now";
  const apart = coarse(Math.abs(seconds));
  return seconds > 0 ? `${apart} ago` : `in ${apart}`;
}

/** How long something has lasted that goes on: `for 3 m`. */
export function lasting(instant: string, now: number): string {
  const seconds = (now - Date.parse(instant)) / 1000;
  return seconds < 5 ? "for a moment" : `for ${coarse(seconds)}`;
}

/** How long until `relative` reads differently: what a clock on the page has to wait. */
export function freshFor(instant: string, now: number): number {
  const age = Math.abs(now - Date.parse(instant)) / 1000;
  if (age < 60) return 1000;
  return age < 86_400 ? 15_000 : 600_000;
}

/** In the zone that is shown: `Fri 21 Nov 2026, 12:22:20`. */
export function absolute(instant: string, timeZone: string | undefined = shown): string {
  const parts = new Intl.DateTimeFormat("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZone,
  });
  return parts.format(new Date(instant));
}

/** Of which day something is, however long ago: `5 Jan 2013 00:00`. */
export function minute(instant: string, timeZone: string | undefined = shown): string {
  const parts = new Intl.DateTimeFormat("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    timeZone,
  });
  return parts.format(new Date(instant)).replace(",", "");
}

/** From a day to a day, in UTC: `1 – 20 Oct 2026`, `28 Dec 2025 – 3 Jan 2026`. */
export function days(first: string, last: string): string {
  const format = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });
  return format.formatRange(new Date(first), new Date(last)).replaceAll("\u2009", " ");
}

/** A moment in a column: the date only when it is not today's. `12:22`, `21 Nov 12:22`. */
export function compact(
  instant: string,
  now: number,
  timeZone: string | undefined = shown,
): string {
  return dated(instant, now, { hour: "2-digit", minute: "2-digit", timeZone });
}

/** The same where seconds tell one from the next: `12:22:20`, `21 Nov 12:22:20`. */
export function exact(instant: string, now: number, timeZone: string | undefined = shown): string {
  return dated(instant, now, { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone });
}

function dated(instant: string, now: number, time: Intl.DateTimeFormatOptions): string {
  const { timeZone } = time;
  const day = (value: number) => new Intl.DateTimeFormat("en-CA", { timeZone }).format(value);
  const at = Date.parse(instant);
  const clock = new Intl.DateTimeFormat("en-GB", { ...time, hourCycle: "h23" }).format(at);
  const [today, then] = [day(now), day(at)];
  if (today === then) return clock;
  const date = new Intl.DateTimeFormat("en-GB", {
    day: "numeric",
    month: "short",
    year: today.slice(0, 4) === then.slice(0, 4) ? undefined : "numeric",
    timeZone,
  }).format(at);
  return `${date} ${clock}`;
}

/** UTC to the second, as logs and the command line write it. */
export function utc(instant: string): string {
  return `${new Date(instant).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** On the clock of a zone, with its offset: `2026-03-29 00:00:00 GMT+1`. */
export function zoned(instant: string, timeZone: string): string {
  if (timeZone === "UTC") return utc(instant);
  const parts = new Intl.DateTimeFormat("sv-SE", {
    dateStyle: "short",
    timeStyle: "medium",
    timeZone,
  });
  const offset = new Intl.DateTimeFormat("en-GB", { timeZone, timeZoneName: "shortOffset" })
    .formatToParts(new Date(instant))
    .find((part) => part.type === "timeZoneName")?.value;
  return `${parts.format(new Date(instant))} ${offset}`;
}

/** The name of the zone that is shown. */
export function zone(): string {
  return shown ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** The same in a narrow place: `Paris`, `New York`, `UTC`. */
export function zonePlace(): string {
  return (zone().split("/").at(-1) ?? "").replaceAll("_", " ");
}

/** What `<input type="datetime-local">` holds, read in the zone that is shown. */
export function fromInput(value: string, timeZone: string = zone()): string | null {
  const wall = Date.parse(`${value}Z`);
  if (!value || Number.isNaN(wall)) return null;
  return new Date(instantOf(wall, timeZone)).toISOString();
}

/** The instant at which the clock of a zone shows this, given as if it were UTC. */
export function instantOf(wall: number, timeZone: string): number {
  // The offset at that wall time is first guessed, then taken where the guess led.
  const near = wall - offsetAt(wall, timeZone);
  return wall - offsetAt(near, timeZone);
}

/** How far the clock of a zone is ahead of UTC at an instant, in milliseconds. */
export function offsetAt(instant: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat("sv-SE", {
    dateStyle: "short",
    timeStyle: "medium",
    timeZone,
  });
  const wall = Date.parse(`${parts.format(instant).replace(" ", "T")}Z`);
  return wall - Math.floor(instant / 1000) * 1000;
}
