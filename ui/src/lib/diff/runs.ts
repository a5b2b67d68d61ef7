import type { TaskDifference } from "@/api/types.ts";
import { duration } from "../duration.ts";
import { stateWord } from "../states.ts";
import { absolute } from "../time.ts";
import { brief, shown } from "../xcom.ts";

/** A value of a difference between two runs, as words. */
export function word(what: string, value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (what === "duration" && typeof value === "number") return duration(value);
  if (what === "task") return value ? "exists" : "does not exist";
  if (what === "states" && typeof value === "object")
    return (
      Object.entries(value)
        .map(([state, count]) => `${count} ${stateWord(state)}`)
        .join(", ") || "none"
    );
  if (what === "logical date" && typeof value === "string") return absolute(value);
  if (what === "bundle" && typeof value === "string") return value.slice(0, 12);
  return typeof value === "string" ? value : brief(shown(value), 80);
}

const WHAT: Readonly<Record<string, string>> = {
  bundle: "files of the DAG folder",
  trigger: "started by",
  task: "task",
  states: "ended as",
  attempts: "attempts",
  duration: "took",
};

/** What differs, as a person calls it. */
export function named(what: string): string {
  return WHAT[what] ?? what.replace(/^param /, "parameter ");
}

/** The differences of tasks, those first whose states differ. */
export function tellingFirst(tasks: readonly TaskDifference[]): TaskDifference[] {
  const rank = ({ what }: TaskDifference) => ["task", "states", "attempts"].indexOf(what) >>> 0;
  return tasks.toSorted((a, b) => rank(a) - rank(b));
}
