import type { Event } from "@/api/types.ts";
import { stateWord } from "@/lib/states.ts";

/** What happened, as a few words: `succeed → success`, `pause`. */
export function what(event: Event): string {
  const name = event.name.replaceAll("_", " ");
  return event.state && stateWord(event.state) !== name
    ? `${name} → ${stateWord(event.state)}`
    : name;
}

/** To what, below its DAG and run: `load [3], attempt 2`. */
export function to(event: Event): string {
  if (!event.task_id) return "";
  const index = event.map_index !== null && event.map_index >= 0 ? ` [${event.map_index}]` : "";
  const attempt = event.attempt ? `, attempt ${event.attempt}` : "";
  return `${event.task_id}${index}${attempt}`;
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
