import { isRounded } from "./params.ts";

/**
 * A value between tasks, as a person reads it. It is JSON in which what JSON has no word for is
 * tagged: `{"__headway__": "datetime", "value": …}`. A tag that is not known, or does not hold what
 * it should, is shown as the plain object it is.
 */
export type Shown =
  | { shape: "atom"; kind: Atom; text: string }
  | { shape: "many"; kind: string; open: string; close: string; entries: Entry[] };

export type Atom = "null" | "boolean" | "number" | "text" | "other";

export interface Entry {
  name: string | null;
  value: Shown;
}

const TAG = "__headway__";
const DEPTH_MAX = 200;

export function shown(value: unknown, depth = 0): Shown {
  if (depth > DEPTH_MAX) return atom("other", "…");
  if (value === null || value === undefined) return atom("null", "None");
  if (typeof value === "string") return atom("text", value);
  if (typeof value === "number") return atom("number", `${isRounded(value) ? "≈ " : ""}${value}`);
  if (typeof value === "boolean") return atom("boolean", value ? "True" : "False");
  if (Array.isArray(value)) return list("list", "[", "]", value, depth);
  const object = value as Record<string, unknown>;
  const tag = object[TAG];
  const known = typeof tag === "string" && Object.hasOwn(KINDS, tag) ? KINDS[tag] : undefined;
  return known?.(object.value, object, depth) ?? record("dict", "{", object, depth);
}

/** The value in one line of at most `most` letters. */
export function brief(value: Shown, most = 120): string {
  const parts: string[] = [];
  write(value, parts, { left: most });
  const text = parts.join("");
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function write(value: Shown, parts: string[], room: { left: number }): void {
  const put = (text: string) => {
    parts.push(text);
    room.left -= text.length;
  };
  if (value.shape === "atom") {
    put(value.kind === "text" ? JSON.stringify(value.text.slice(0, room.left + 1)) : value.text);
    return;
  }
  put(value.open);
  for (const [at, entry] of value.entries.entries()) {
    if (room.left <= 0) break;
    if (at > 0) put(", ");
    if (entry.name !== null) put(`${entry.name}: `);
    write(entry.value, parts, room);
  }
  put(value.close);
}

type Reader = (value: unknown, tagged: Record<string, unknown>, depth: number) => Shown | null;

const asText: Reader = (value) => (typeof value === "string" ? atom("other", value) : null);
const asNumber: Reader = (value) => (typeof value === "string" ? atom("number", value) : null);
const asList =
  (kind: string, open: string, close: string): Reader =>
  (value, _tagged, depth) =>
    Array.isArray(value) ? list(kind, open, close, value, depth) : null;
const asBytes: Reader = (value) =>
  typeof value === "string" ? atom("other", `${value.length * 0.75 - padding(value)} bytes`) : null;
const asFields: Reader = (value, tagged, depth) =>
  value !== null && typeof value === "object" && !Array.isArray(value)
    ? record(className(tagged), `${className(tagged)}(`, value as Record<string, unknown>, depth)
    : null;

const KINDS: Record<string, Reader> = {
  datetime: (value, { zone }) =>
    typeof value === "string"
      ? atom("other", typeof zone === "string" ? `${value} ${zone}` : value)
      : null,
  date: asText,
  time: asText,
  uuid: asText,
  path: (value, _tagged, depth) => shown(value, depth + 1),
  text: asBytes,
  bytes: asBytes,
  bytearray: asBytes,
  int: asNumber,
  float: asNumber,
  decimal: asNumber,
  timedelta: (value) => (isNumbers(value, 3) ? atom("other", span(value)) : null),
  complex: (value) => (isNumbers(value, 2) ? atom("number", `${value[0]} + ${value[1]}j`) : null),
  tuple: asList("tuple", "(", ")"),
  set: asList("set", "{", "}"),
  frozenset: asList("frozenset", "frozenset{", "}"),
  namedtuple: (value, tagged, depth) =>
    asList(className(tagged), `${className(tagged)}(`, ")")(value, tagged, depth),
  enum: (value, tagged, depth) =>
    atom("other", `${className(tagged)}: ${brief(shown(value, depth + 1))}`),
  dataclass: asFields,
  struct: asFields,
  dict: (value, _tagged, depth) => (isPairs(value) ? pairs(value, depth) : null),
};

function atom(kind: Atom, text: string): Shown {
  return { shape: "atom", kind, text };
}

function list(kind: string, open: string, close: string, items: unknown[], depth: number): Shown {
  const entries = items.map((item) => ({ name: null, value: shown(item, depth + 1) }));
  return { shape: "many", kind, open, close, entries };
}

function record(kind: string, open: string, from: Record<string, unknown>, depth: number): Shown {
  const entries = Object.entries(from).map(([name, item]) => ({
    name,
    value: shown(item, depth + 1),
  }));
  return { shape: "many", kind, open, close: open === "{" ? "}" : ")", entries };
}

function pairs(from: [unknown, unknown][], depth: number): Shown {
  const entries = from.map(([name, item]) => ({
    name: brief(shown(name, depth + 1), 60),
    value: shown(item, depth + 1),
  }));
  return { shape: "many", kind: "dict", open: "{", close: "}", entries };
}

/** `module:Outer.Name` is called `Outer.Name`. */
function className(tagged: Record<string, unknown>): string {
  return typeof tagged.class === "string" ? (tagged.class.split(":").at(-1) ?? "") : "";
}

function span([days, seconds, micros]: number[]): string {
  const clock = [3600, 60, 1].map((unit, at) => {
    const part = Math.floor((seconds ?? 0) / unit) % (at === 0 ? 24 : 60);
    return String(part).padStart(2, "0");
  });
  const fraction = micros ? `.${String(micros).padStart(6, "0")}` : "";
  return `${days ? `${days}d ` : ""}${clock.join(":")}${fraction}`;
}

function padding(base64: string): number {
  return base64.length - base64.replace(/=+$/, "").length;
}

function isNumbers(value: unknown, count: number): value is number[] {
  return (
    Array.isArray(value) && value.length === count && value.every((n) => typeof n === "number")
  );
}

function isPairs(value: unknown): value is [unknown, unknown][] {
  return Array.isArray(value) && value.every((pair) => Array.isArray(pair) && pair.length === 2);
}
