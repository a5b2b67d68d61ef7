/** A change of a DAG's spec as a sentence. */

export interface Change {
  what: string;
  path: string;
  before: unknown;
  after: unknown;
}

export interface Sentence {
  kind: "added" | "removed" | "changed";
  /** What it is about: a task's id, or the part of the DAG. */
  subject: string;
  words: string;
}

export function sentenceOf(change: Change): Sentence {
  const { what, path, before, after } = change;
  if (/ added$/.test(what)) return { kind: "added", subject: subjectOf(path), words: what };
  if (/ removed$/.test(what)) return { kind: "removed", subject: subjectOf(path), words: what };
  const kind = isNothing(before) ? "added" : isNothing(after) ? "removed" : "changed";
  const field = fieldOf(path);
  if (kind === "added")
    return { kind, subject: subjectOf(path), words: `${field} is now ${shown(after)}` };
  if (kind === "removed")
    return { kind, subject: subjectOf(path), words: `${field} is gone; it was ${shown(before)}` };
  if (Array.isArray(before) && Array.isArray(after))
    return { kind, subject: subjectOf(path), words: `${field} ${listed(before, after)}` };
  const words = `${field} from ${shown(before)} to ${shown(after)}`;
  return { kind, subject: subjectOf(path), words };
}

/** `tasks.load.users.retries` is about `load.users`; `schedule.cron` about the schedule. */
function subjectOf(path: string): string {
  const parts = path.split(".");
  if (parts[0] !== "tasks") return parts[0] ?? path;
  const task = FIELDS.has(parts.at(-1) ?? "") ? parts.slice(1, -1) : parts.slice(1);
  return task.join(".") || "tasks";
}

const FIELDS: ReadonlySet<string> = new Set(
  `kind upstream trigger_rule retries retry_delay_s retry_exponential_backoff max_retry_delay_s
  execution_timeout_s pool pool_slots priority_weight max_active_tis_per_dagrun memory_limit_mb
  inputs mapping branch owner doc line`.split(/\s+/),
);

function fieldOf(path: string): string {
  return (path.split(".").at(-1) ?? path).replace(/_s$/, " (seconds)").replaceAll("_", " ");
}

function listed(before: readonly unknown[], after: readonly unknown[]): string {
  const without = (from: readonly unknown[], other: readonly unknown[]) => {
    const known = new Set(other.map(shown));
    return from.map(shown).filter((each) => !known.has(each));
  };
  const [added, removed] = [without(after, before), without(before, after)];
  const parts = [
    added.length > 0 && `gained ${added.join(", ")}`,
    removed.length > 0 && `lost ${removed.join(", ")}`,
  ].filter(Boolean);
  return parts.join(" and ") || "in another order";
}

export function shown(value: unknown): string {
  if (isNothing(value)) return "nothing";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined;
}
