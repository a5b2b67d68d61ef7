import type { Param } from "@/api/types.ts";

/** What stands in a field for a parameter before it is read as a value. */
export type Draft = string | boolean;

/** What a field begins with: the default, as it is typed. */
export function draftOf(param: Param): Draft {
  if (param.type === "boolean") return param.default === true;
  if (param.default === null || param.default === undefined) return "";
  if (typeof param.default === "string" && typed(param) !== "json") return param.default;
  return JSON.stringify(param.default, null, param.type === "number" ? undefined : 2);
}

/** How a parameter is asked for. */
export function typed(param: Param): "choice" | "switch" | "number" | "date" | "text" | "json" {
  if (param.enum && param.enum.length > 0) return "choice";
  if (param.type === "boolean") return "switch";
  if (param.type === "integer" || param.type === "number") return "number";
  if (param.format === "date") return "date";
  return param.type === "string" ? "text" : "json";
}

export type Read = { value: unknown } | { wrong: string } | { absent: true };

/** The value in a field, what is wrong with it, or that nothing was given. */
export function read(param: Param, draft: Draft): Read {
  if (typeof draft === "boolean") return { value: draft };
  if (draft.trim() === "" && param.type !== "string") return absent(param);
  if (draft === "") return param.required ? absent(param) : emptyText(param);
  switch (typed(param)) {
    case "choice":
      return choice(param, draft);
    case "number":
      return numeric(param, draft);
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
  const found = param.enum?.find((each) => shown(each) === draft);
  if (found === undefined) return { wrong: "Choose a value from the list." };
  return holdsRounded(found) ? ROUNDED : { value: found };
}

function numeric(param: Param, draft: string): Read {
  const value = Number(draft);
  if (!Number.isFinite(value)) return { wrong: "Enter a number." };
  if (param.type === "integer" && !Number.isInteger(value)) {
    return { wrong: "Enter a whole number." };
  }
  return isRounded(value) && /^\s*[-+]?\d+\s*$/.test(draft) ? ROUNDED : { value };
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
