/** A calendar as columns of weeks that begin on Monday. Days are `YYYY-MM-DD`, without a zone. */

const DAY_MS = 86_400_000;

export interface Month {
  /** The week it begins in. */
  at: number;
  label: string;
}

/** Every day from the Monday before `from` to the Sunday after `to`, a week a list. */
export function weeksOf(from: string, to: string): string[][] {
  const start = dateOf(from) - weekday(from) * DAY_MS;
  const weeks: string[][] = [];
  for (let monday = start; monday <= dateOf(to); monday += 7 * DAY_MS)
    weeks.push(Array.from({ length: 7 }, (_, day) => dayOf(monday + day * DAY_MS)));
  return weeks;
}

/** Months by the first week in which they have most of their days: no two names touch. */
export function monthsOf(weeks: readonly (readonly string[])[]): Month[] {
  const months: Month[] = [];
  weeks.forEach((week, at) => {
    const middle = week[3] as string;
    const before = weeks[at - 1]?.[3];
    if (before?.slice(0, 7) === middle.slice(0, 7)) return;
    const year = before?.slice(0, 4) === middle.slice(0, 4) ? undefined : "numeric";
    const format = new Intl.DateTimeFormat("en-GB", { month: "short", year, timeZone: "UTC" });
    months.push({ at, label: format.format(dateOf(middle)) });
  });
  return months.filter((month, at) => (months[at + 1]?.at ?? Infinity) - month.at > 2);
}

/** The day `days` after this one. */
export function daysAfter(day: string, days: number): string {
  return dayOf(dateOf(day) + days * DAY_MS);
}

/** The day of an instant in a zone. */
export function dayIn(instant: string | number, timeZone: string): string {
  return new Intl.DateTimeFormat("en-CA", { timeZone }).format(
    typeof instant === "string" ? Date.parse(instant) : instant,
  );
}

/** `Sat 21 Nov 2026` */
export function dayWords(day: string): string {
  const format = new Intl.DateTimeFormat("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: "numeric",
    timeZone: "UTC",
  });
  return format.format(dateOf(day)).replace(",", "");
}

function weekday(day: string): number {
  return (new Date(dateOf(day)).getUTCDay() + 6) % 7;
}

function dateOf(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** The instant at which a day begins in a zone, or the day `later` days after it. */
export function startOfDay(day: string, timeZone: string, later = 0): string {
  const wanted = daysAfter(day, later);
  let at = dateOf(wanted);
  for (let tries = 0; tries < 3; tries += 1) at += dateOf(wanted) - wallClock(at, timeZone);
  return new Date(at).toISOString();
}

/** What the zone's clock shows at an instant, as if it were UTC. */
function wallClock(at: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat("sv-SE", {
    dateStyle: "short",
    timeStyle: "medium",
    timeZone,
  });
  return Date.parse(`${format.format(at).replace(" ", "T")}Z`);
}
