import type { Event } from "@/api/types.ts";
import { instanceName } from "@/lib/instances.ts";

const WORDS: Readonly<Record<string, string>> = {
  create: "created",
  start: "started",
  succeed: "succeeded",
  fail: "failed",
  retry: "failed, retries",
  cancel: "cancelled",
  skip: "skipped",
  block: "upstream failed",
  refuse: "refused",
  release: "ready",
  grant: "given to an agent",
  defer: "waits",
  reschedule: "waits for the next look",
  wake: "goes on",
  recall: "judged again",
  clear: "cleared",
  mark_success: "marked as success",
  mark_failed: "marked as failed",
  pause: "paused",
  resume: "resumed",
  load: "new version",
  miss: "no longer in the folder",
  resize: "resized",
  delete: "deleted",
  note: "note",
  set_aside: "set aside",
  take_back: "taken back",
  reopen: "reopened",
  late_partition: "partition arrived late",
  overdue_partition: "partition is overdue",
};

/** What the list can be narrowed to: the ends first, as they are looked for. */
export const NAMES = [
  ...[
    "fail",
    "retry",
    "succeed",
    "cancel",
    "skip",
    "block",
    "clear",
    "mark_success",
    "mark_failed",
  ],
  ...["start", "create", "note", "load", "pause", "resume", "resize"],
].map((value) => ({ value, shown: WORDS[value] ?? value }));

/** What happened, in a few words; beside them the state, where they do not say it. */
export function what(event: Event): string {
  const { name, state } = event;
  if (name === "cancel" && state !== "cancelled") return "is being cancelled";
  return WORDS[name] ?? name.replaceAll("_", " ");
}

/** To what, below its DAG and run: `load[3], attempt 2`, or `load [Paris], attempt 2`. */
export function to(event: Event): string {
  const { task_id, rendered_map_index } = event;
  if (!task_id) return "";
  const attempt = event.attempt ? `, attempt ${event.attempt}` : "";
  return `${instanceName({ task_id, map_index: event.map_index ?? -1, rendered_map_index })}${attempt}`;
}

/** An actor in a sentence: a user by name alone, all others with what they are. */
export function named(actor: string): string {
  return actor.replace(/^user:/, "");
}

/** Whether a person did it, rather than Headway itself. */
export function byPerson(actor: string): boolean {
  return actor.startsWith("user:") || actor.startsWith("token:");
}

const MACHINES = ["scheduler", "loader", "janitor", "agent", "user", "token"];

/** Whom somebody means who writes a name as the events show it: `ada` is `user:ada`. */
export function meant(written: string): string {
  return written === "" || written.includes(":") || MACHINES.includes(written)
    ? written
    : `user:${written}`;
}

/** The name of a person; of a machine only what it is. */
export function who(actor: string): string {
  const [kind = "", name = ""] = actor.split(":", 2);
  return byPerson(actor) ? name : kind;
}
