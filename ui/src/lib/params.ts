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
  return param.required ? { wrong: "It is needed." } : { absent: true };
}

/** An emptied text is empty where the default is a text, and not given where there is none or it is a date. */
function emptyText(param: Param): Read {
  return typeof param.default === "string" && !param.format ? { value: "" } : { absent: true };
}

function choice(param: Param, draft: string): Read {
  const found = param.enum?.find((each) => shown(each) === draft);
  return found === undefined ? { wrong: "Choose one of the list." } : { value: found };
}

function numeric(param: Param, draft: string): Read {
  const value = Number(draft);
  if (!Number.isFinite(value)) return { wrong: "It must be a number." };
  if (param.type === "integer" && !Number.isInteger(value)) {
    return { wrong: "It must be a whole number." };
  }
  return { value };
}

function structured(param: Param, draft: string): Read {
  let value: unknown;
  try {
    value = JSON.parse(draft);
  } catch (error) {
    return { wrong: `It is no JSON: ${error instanceof Error ? error.message : error}` };
  }
  if (param.type === "array" && !Array.isArray(value)) return { wrong: "It must be a list: […]" };
  const object = typeof value === "object" && value !== null && !Array.isArray(value);
  if (param.type === "object" && !object) return { wrong: "It must be an object: {…}" };
  return { value };
}

/** A value as one line. */
export function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** All fields read: the values to send, or what is wrong, by name. */
export function readAll(
  params: readonly Param[],
  drafts: Readonly<Record<string, Draft>>,
): { values: Record<string, unknown>; wrong: Record<string, string> } {
  const values: Record<string, unknown> = {};
  const wrong: Record<string, string> = {};
  for (const param of params) {
    const result = read(param, drafts[param.name] ?? draftOf(param));
    if ("wrong" in result) wrong[param.name] = result.wrong;
    else if ("value" in result) values[param.name] = result.value;
  }
  return { values, wrong };
}
