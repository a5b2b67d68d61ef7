import type { LogRetention, LogRetentionRequest } from "@/api/types.ts";
import { counted, number } from "@/lib/count.ts";

const DAYS_MAX = 36_500;
const RUN_DAYS_MIN = 7;
const COUNTED_MAX = 10_000; // the server counts no further

/** For how long, as words; null: as long as `otherwise`. */
export function kept(days: number | null, otherwise: string): string {
  return days === null ? otherwise : `for ${counted(days, "day")}`;
}

export function keptAnywhere(days: number | null): string {
  return kept(days, "for as long as the run");
}

export function keptHere(days: number | null): string {
  return kept(days, "for as long as they are kept at all");
}

/** What somebody typed; nothing is the default. Undefined: it is no number of days. */
export function daysOf(text: string): number | null | undefined {
  if (text.trim() === "") return null;
  const days = Number(text);
  return /^\s*\d+\s*$/.test(text) && days >= 1 && days <= DAYS_MAX ? days : undefined;
}

/** What is wrong with one field, or nothing. */
export function wrongDays(text: string): string | null {
  return daysOf(text) === undefined
    ? "Enter a whole number of days, 1 or more, or leave empty."
    : null;
}

/** What is wrong with the two together, or nothing. */
export function wrongTogether(days: string, local: string): string | null {
  const [anywhere, here] = [daysOf(days), daysOf(local)];
  if (!anywhere || !here || here <= anywhere) return null;
  return `This cannot be longer than logs are kept: ${counted(anywhere, "day")}.`;
}

/** What the team says itself. */
export function ownOf({ days, local_days }: LogRetention): Required<LogRetentionRequest> {
  return { days, local_days: local_days ?? null };
}

/** What somebody typed for runs; nothing is the default. Undefined: it is no number of days that runs can be kept. */
export function runDaysOf(text: string): number | null | undefined {
  const days = daysOf(text);
  return typeof days === "number" && days < RUN_DAYS_MIN ? undefined : days;
}

export function wrongRunDays(text: string): string | null {
  return runDaysOf(text) === undefined
    ? `Enter a whole number of days, ${RUN_DAYS_MIN} or more, or leave empty.`
    : null;
}

/** How many runs go, as a sentence. */
export function toBeRemoved(removes: number, days: number): string {
  const many =
    removes >= COUNTED_MAX ? `${number(COUNTED_MAX)} or more runs` : counted(removes, "run");
  return `${many} that ended more than ${number(days)} days ago will be deleted within minutes.`;
}
