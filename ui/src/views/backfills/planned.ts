import type { BackfillAnswer } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";

export const ACTIONS = { create: "new run", again: "runs again", leave: "left out" } as const;

/** The runs that a backfill starts: new ones, and those that run again. */
export function startedOf({ runs }: Pick<BackfillAnswer, "runs">): number {
  return runs.filter(({ action }) => action !== "leave").length;
}

/** "2 new runs, 1 run again, 3 dates left out". */
export function summaryOf({ runs }: Pick<BackfillAnswer, "runs">): string {
  const count = (wanted: string) => runs.filter(({ action }) => action === wanted).length;
  const again = count("again");
  const parts = [
    count("create") && counted(count("create"), "new run"),
    again && `${counted(again, "run")} again`,
    count("leave") && `${counted(count("leave"), "date")} left out`,
  ];
  return parts.filter(Boolean).join(", ");
}

/** Why a backfill has fewer runs than dates: "3 dates left out, they had a run: 2 success, 1 running". */
export function leftOut(counts: Record<string, number>): string | null {
  const states = Object.entries(counts);
  const total = states.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return null;
  const told = states.map(([state, count]) => `${count} ${state}`).join(", ");
  return `${counted(total, "date")} left out, with a run already: ${told}`;
}
