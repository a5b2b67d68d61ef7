import type { AssetDetail } from "@/api/types.ts";
import { who } from "@/views/events/describe.ts";

const MARK = "watcher:";

type Watcher = NonNullable<AssetDetail["watchers"]>[number];
type Said = Pick<Watcher, "state" | "error" | "reason" | "note">;

const WORDS: Record<Watcher["state"], string> = {
  looking: "Looking",
  waiting: "Waiting",
  failed: "Failed",
  stopped: "Stopped",
};

/** The state in a word: one that looks again after an error, and has not worked since, says so. */
export function shownState({ state, error }: Pick<Said, "state" | "error">): string {
  return state === "looking" && error ? "Looking again" : WORDS[state];
}

/** Why nobody looks, or what the watcher told of its last look. */
export function toldOf({ state, reason, note }: Omit<Said, "error">): string {
  return state === "looking" ? (note ?? "") : reason;
}

/** What tells a row from the others: two DAGs may give an asset watchers of one name. */
export function rowOf({ name, what, dag_id }: Pick<Watcher, "name" | "what" | "dag_id">): string {
  return JSON.stringify([name, what, dag_id]);
}

/** Who reported an event from outside: a watcher by its name, a person by theirs. */
export function reporterOf(by: string): string {
  return by.startsWith(MARK) ? `watcher ${by.slice(MARK.length)}` : who(by);
}
