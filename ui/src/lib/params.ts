import type { Param } from "@/api/types.ts";
import { fromInput, offsetAt, zone } from "./time.ts";

/** What stands in a field for a parameter before it is read as a value. */
export type Draft = string | boolean;

/** What a field begins with: the default, as it is typed. */
export function draftOf(param: Param): Draft {
  const kind = typed(param);
  if (kind === "switch") return param.default === true;
  if (param.default === null || param.default === undefined) return "";
  if (kind === "list" && Array.isArray(param.default)) return param.default.join("\n");
  if (kind === "instant") return wallOf(String(param.default));
  if (typeof param.default === "string" && typed(param) !== "json") return param.default;
  return JSON.stringify(param.default, null, param.type === "number" ? undefined : 2);
}

type Kind =
  | "choice"
  | "switch"
  | "number"
  | "date"
  | "instant"
  | "time"
  | "lines"
  | "list"
  | "text"
  | "json";

/** How a parameter is asked for. */
export function typed(param: Param): Kind {
  if (choices(param).length > 0) return "choice";
  if (param.type === "boolean") return "switch";
  if (param.type === "integer" || param.type === "number") return "number";
  if (param.format === "date") return "date";
  if (param.format === "date-time") return "instant";
  if (param.type === "array" && isText(keyword(param, "items"))) return "list";
  if (param.type !== "string") return "json";
  const format = keyword(param, "format");
  return format === "time" ? "time" : format === "multiline" ? "lines" : "text";
}

function isText(items: unknown): boolean {
  return typeof items === "object" && items !== null && "type" in items && items.type === "string";
}

/** A keyword of its schema that the spec has no field for. */
export function keyword(param: Param, word: string): unknown {
  return param.schema?.[word];
}

/** Whether null may be given. */
export function isNullable(param: Param): boolean {
  const types = keyword(param, "type");
  return Array.isArray(types) && types.includes("null");
}

/** The values that a list offers. */
export function choices(param: Param): readonly unknown[] {
  if (param.enum && param.enum.length > 0) return param.enum.filter((each) => each !== null);
  return param.type === "boolean" && isNullable(param) ? [true, false] : [];
}

/** What is shown in place of a value. */
export function labelOf(param: Param, value: unknown): string {
  const labels = new Map(Object.entries(param.values_display ?? {}));
  return labels.get(shown(value)) ?? shown(value);
}

/** Parameters that a form shows: not those with one value alone. */
export function asked(params: readonly Param[]): readonly Param[] {
  return params.filter((param) => keyword(param, "const") === undefined);
}

/** The parameters by section, each in the order in which it is named first. Those without one come first. */
export function sections(params: readonly Param[]): [string, Param[]][] {
  const found = new Map<string, Param[]>([["", []]]);
  for (const param of params) {
    const name = param.section ?? "";
    found.set(name, [...(found.get(name) ?? []), param]);
  }
  return [...found].filter(([, each]) => each.length > 0);
}

/** A parameter's bounds in words: at least 1, at most 9. */
export function bounds(param: Param): string {
  const words: [string, string][] = [
    ["minimum", "at least"],
    ["exclusiveMinimum", "more than"],
    ["maximum", "at most"],
    ["exclusiveMaximum", "less than"],
    ["multipleOf", "a multiple of"],
  ];
  return words
    .filter(([word]) => typeof keyword(param, word) === "number")
    .map(([word, told]) => `${told} ${keyword(param, word)}`)
    .join(", ");
}

export type Read = { value: unknown } | { wrong: string } | { absent: true };

/** The value in a field, what is wrong with it, or that nothing was given. */
export function read(param: Param, draft: Draft): Read {
  if (typeof draft === "boolean") return { value: draft };
  if (draft.trim() === "" && isNullable(param)) return { value: null };
  if (draft.trim() === "" && typed(param) === "list") {
    return param.required ? absent(param) : { value: [] };
  }
  if (draft.trim() === "" && param.type !== "string") return absent(param);
  if (draft === "") return param.required ? absent(param) : emptyText(param);
  switch (typed(param)) {
    case "choice":
      return choice(param, draft);
    case "number":
      return numeric(param, draft);
    case "instant":
      return instant(draft);
    case "list":
      return { value: draft.split("\n").filter((line) => line !== "") };
    case "json":
      return structured(param, draft);
    default:
      return { value: draft };
  }
}

function absent(param: Param): Read {
  return param.required ? { wrong: "This parameter is required." } : { absent: true };
}

/** An emptied text is empty where the default is a text, and not given where there is none or it is a date. */
function emptyText(param: Param): Read {
  return typeof param.default === "string" && !param.format ? { value: "" } : { absent: true };
}

function choice(param: Param, draft: string): Read {
  const found = choices(param).find((each) => shown(each) === draft);
  if (found === undefined) return { wrong: "Choose a value from the list." };
  return holdsRounded(found) ? ROUNDED : { value: found };
}

function instant(draft: string): Read {
  const value = fromInput(draft);
  return value === null ? { wrong: "Enter a date and a time." } : { value };
}

/** An instant as `<input type="datetime-local">` shows it, in the zone that is shown. */
function wallOf(instant: string): string {
  const at = Date.parse(instant);
  return Number.isNaN(at) ? "" : new Date(at + offsetAt(at, zone())).toISOString().slice(0, 19);
}

function numeric(param: Param, draft: string): Read {
  const value = Number(draft);
  if (!Number.isFinite(value)) return { wrong: "Enter a number." };
  if (param.type === "integer" && !Number.isInteger(value)) {
    return { wrong: "Enter a whole number." };
  }
  if (!isWithin(param, value)) return { wrong: `Enter a number that is ${bounds(param)}.` };
  return isRounded(value) && /^\s*[-+]?\d+\s*$/.test(draft) ? ROUNDED : { value };
}

function isWithin(param: Param, value: number): boolean {
  const limits: [string, (limit: number) => boolean][] = [
    ["minimum", (limit) => value >= limit],
    ["exclusiveMinimum", (limit) => value > limit],
    ["maximum", (limit) => value <= limit],
    ["exclusiveMaximum", (limit) => value < limit],
  ];
  return limits.every(([word, holds]) => {
    const limit = keyword(param, word);
    return typeof limit !== "number" || holds(limit);
  });
}

function structured(param: Param, draft: string): Read {
  let value: unknown;
  try {
    value = JSON.parse(draft);
  } catch (error) {
    return { wrong: `Invalid JSON: ${error instanceof Error ? error.message : error}` };
  }
  if (param.type === "array" && !Array.isArray(value)) return { wrong: "Enter a JSON list: […]" };
  const object = typeof value === "object" && value !== null && !Array.isArray(value);
  if (param.type === "object" && !object) return { wrong: "Enter a JSON object: {…}" };
  return holdsRounded(value) ? ROUNDED : { value };
}

const ROUNDED: Read = {
  wrong: `Browsers round integers above ${Number.MAX_SAFE_INTEGER}. To use this value, start the run with headway run.`,
};

/** Whether the integer may have been another one before a browser read it. */
export function isRounded(value: number): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value);
}

function holdsRounded(value: unknown): boolean {
  if (typeof value === "number") return isRounded(value);
  return typeof value === "object" && value !== null && Object.values(value).some(holdsRounded);
}

/** A value as one line. */
export function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/**
 * All fields read: the values to send, or what is wrong, by name. A default that nobody touched is
 * left to the server, which has it exactly. Maps, because a parameter may be called `constructor`.
 */
export function readAll(
  params: readonly Param[],
  drafts: ReadonlyMap<string, Draft>,
): { values: Record<string, unknown>; wrong: ReadonlyMap<string, string> } {
  const values: [string, unknown][] = [];
  const wrong = new Map<string, string>();
  for (const param of params) {
    const only = keyword(param, "const");
    if (only !== undefined && param.required) values.push([param.name, only]);
    if (only !== undefined) continue;
    const draft = drafts.get(param.name);
    if (draft === undefined && hasDefault(param)) continue;
    const result = read(param, draft ?? draftOf(param));
    if ("wrong" in result) wrong.set(param.name, result.wrong);
    else if ("value" in result) values.push([param.name, result.value]);
  }
  return { values: Object.fromEntries(values), wrong };
}

function hasDefault(param: Param): boolean {
  return !param.required && param.default !== null && param.default !== undefined;
}
