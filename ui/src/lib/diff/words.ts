/** A change of a DAG's spec as a sentence. */

export interface Change {
  what: string;
  /** A task's id, that with `.` and a field of it, or a field of the DAG. */
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

const SHOWN_CHARS = 120;

export function sentenceOf(change: Change): Sentence {
  const { what, path, before, after } = change;
  if (what === "task added") return { kind: "added", subject: path, words: "task added" };
  if (what === "task removed") return { kind: "removed", subject: path, words: "task removed" };
  const kind = isNothing(before) ? "added" : isNothing(after) ? "removed" : "changed";
  const words = difference(before, after);
  if (what !== "task changed") return { kind, subject: spoken(path), words };
  // The ids of tasks in groups have dots of their own; names of fields have none.
  const dot = path.lastIndexOf(".");
  return { kind, subject: path.slice(0, dot), words: `${spoken(path.slice(dot + 1))} ${words}` };
}

function spoken(field: string): string {
  return field.replace(/_s$/, " (seconds)").replaceAll("_", " ");
}

function difference(before: unknown, after: unknown): string {
  if (isNothing(before)) return `set to ${shown(after)}`;
  if (isNothing(after)) return `removed (was ${shown(before)})`;
  if (Array.isArray(before) && Array.isArray(after)) return listed(before, after);
  if (isRecord(before) && isRecord(after)) return byField(before, after);
  return `from ${shown(before)} to ${shown(after)}`;
}

function byField(before: Record<string, unknown>, after: Record<string, unknown>): string {
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((field) => shown(old.get(field)) !== shown(now.get(field)))
    .map((field) => `${spoken(field)} ${difference(old.get(field), now.get(field))}`)
    .join(", ");
}

/** What has a name is known by it: with other contents it is the same one, changed. */
function listed(before: readonly unknown[], after: readonly unknown[]): string {
  const whole = (from: readonly unknown[]) =>
    new Map(from.map((each) => [nameOf(each), JSON.stringify(each)]));
  const [old, now] = [whole(before), whole(after)];
  const added = [...now.keys()].filter((name) => !old.has(name));
  const removed = [...old.keys()].filter((name) => !now.has(name));
  const changed = [...now].filter(([name, text]) => old.has(name) && old.get(name) !== text);
  const parts = [
    added.length > 0 && `gained ${added.join(", ")}`,
    removed.length > 0 && `lost ${removed.join(", ")}`,
    changed.length > 0 && `changed ${changed.map(([name]) => name).join(", ")}`,
  ].filter(Boolean);
  return parts.join(" and ") || "in another order";
}

function nameOf(value: unknown): string {
  return isRecord(value) && typeof value.name === "string" ? value.name : shown(value);
}

function shown(value: unknown): string {
  if (isNothing(value)) return "nothing";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length <= SHOWN_CHARS ? text : `${text.slice(0, SHOWN_CHARS - 1)}…`;
}

function isNothing(value: unknown): boolean {
  return value === null || value === undefined || value === "";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
