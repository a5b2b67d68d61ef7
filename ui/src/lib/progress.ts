import { duration } from "./duration.ts";
import { isFinal } from "./states.ts";

/** How far a run has come. */
export function doneOf(counts: Readonly<Record<string, number>>): { done: number; total: number } {
  let done = 0;
  let total = 0;
  for (const [state, count] of Object.entries(counts)) {
    total += count;
    if (isFinal(state)) done += count;
  }
  return { done, total };
}

/** When it will end, if it takes as long as the last good one: `about 3m left`. Null: nobody knows. */
export function expected(
  elapsedS: number | null,
  lastGoodS: number | null | undefined,
): string | null {
  if (elapsedS === null || !lastGoodS) return null;
  const left = Math.ceil(lastGoodS - elapsedS);
  if (left > 0) return `about ${duration(left)} left`;
  return `longer than the last successful run, which took ${duration(lastGoodS)}`;
}
