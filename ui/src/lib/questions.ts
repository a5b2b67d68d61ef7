import type { Question } from "@/api/types.ts";

/** Who may answer, in words; empty: anyone of the team who may answer at all. */
export function assignees({ assigned_users, assigned_roles }: Question): string {
  const names = [...assigned_users, ...assigned_roles.map((role) => `the role ${role}`)];
  const last = names.at(-1);
  return names.length < 2 ? (last ?? "") : `${names.slice(0, -1).join(", ")} and ${last}`;
}

/** What follows when nobody answers in time. */
export function overdue({ ask, defaults, has_default }: Question): string {
  if (!has_default) return "then the task fails";
  if (ask === "ask") return "then the defaults hold";
  return `then ${defaults?.join(", ")}`;
}

/** A value that was filled in, on one line. */
export function filled(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** What marks the question of a task instance, among all that are open. */
export function keyOf({ run_id, task_id, map_index, id }: Question): string {
  return [run_id, task_id, map_index, id].join(" ");
}
