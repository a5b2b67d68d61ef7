import { zone } from "../time.ts";

/** What stands above a column. */
export interface BarRun {
  version: number;
  duration_s: number | null;
}

/**
 * Heights as durations, in whole pixels. The tallest is the longest of those that are not far out:
 * one run of a day among minutes is cut off rather than making all the others flat.
 */
export function barHeights(
  durations: readonly (number | null)[],
  height: number,
  least = 3,
): { height: number; cut: boolean }[] {
  const known = durations.filter((value) => value !== null).sort((a, b) => a - b);
  const median = known[Math.floor(known.length / 2)] ?? 0;
  const top = Math.min(known.at(-1) ?? 0, median * 4 || Number.POSITIVE_INFINITY);
  return durations.map((value) => {
    if (value === null || top <= 0) return { height: least, cut: false };
    const share = Math.round((value / top) * height);
    return { height: Math.min(height, Math.max(least, share)), cut: value > top };
  });
}

/** The columns at which another version of the DAG begins. */
export function versionChanges(runs: readonly BarRun[]): number[] {
  const changes: number[] = [];
  runs.forEach((run, at) => {
    if (at > 0 && runs[at - 1]?.version !== run.version) changes.push(at);
  });
  return changes;
}

/** Where a new day begins, with room for its name: no two labels closer than `room` columns. */
export function dayLabels(
  instants: readonly string[],
  room: number,
  timeZone: string = zone(),
): { at: number; label: string }[] {
  const format = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone });
  const labels: { at: number; label: string }[] = [];
  let shown = "";
  instants.forEach((instant, at) => {
    const label = format.format(Date.parse(instant));
    const free = labels.length === 0 || at - (labels.at(-1)?.at ?? 0) >= room;
    if (label !== shown && free) {
      labels.push({ at, label });
      shown = label;
    }
  });
  return labels;
}
