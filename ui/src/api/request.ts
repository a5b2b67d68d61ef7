/** An answer that was no answer: what went wrong, and what to do about it. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly hint: string | null = null,
    readonly where: string | null = null,
  ) {
    super(detail);
    this.name = "Problem";
  }
}

export type Query = Record<
  string,
  string | number | boolean | readonly string[] | null | undefined
>;

interface Wanted {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  query?: Query;
  body?: unknown;
  /** The same key asks for the same thing once, however often it is sent. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

const BASE = "/api/v1";

/** The JSON answer of a route below `/api/v1`; throws Problem. */
export async function request<T>(path: string, wanted: Wanted = {}): Promise<T> {
  const response = await send(path, wanted);
  const text = await response.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

/** The raw answer, for what is no JSON. Throws Problem for anything but success. */
export async function send(path: string, wanted: Wanted = {}): Promise<Response> {
  const response = await reach(path, wanted);
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function reach(path: string, wanted: Wanted): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (wanted.body !== undefined) headers["content-type"] = "application/json";
  if (wanted.idempotencyKey) headers["idempotency-key"] = wanted.idempotencyKey;
  try {
    return await fetch(`${BASE}${path}${encoded(wanted.query)}`, {
      method: wanted.method ?? "GET",
      headers,
      body: wanted.body === undefined ? undefined : JSON.stringify(wanted.body),
      signal: wanted.signal,
      credentials: "same-origin",
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(
      0,
      "not_reachable",
      "The server cannot be reached.",
      "Is headway up running?",
    );
  }
}

export function encoded(query: Query | undefined): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === null || value === undefined || value === "") continue;
    for (const each of Array.isArray(value) ? value : [value]) parameters.append(name, `${each}`);
  }
  const text = parameters.toString();
  return text && `?${text}`;
}

async function problemOf(response: Response): Promise<Problem> {
  const status = response.status;
  try {
    const said = (await response.json()) as Partial<Record<string, string>>;
    const detail = said.detail ?? said.title ?? `The server answered ${status}.`;
    return new Problem(status, said.code ?? "unknown", detail, said.hint, said.where);
  } catch {
    return new Problem(status, "unknown", `The server answered ${status}.`);
  }
}

/** A path below `/api/v1` whose variable parts are escaped: path`/runs/${id}/tasks`. */
export function path(fixed: TemplateStringsArray, ...parts: (string | number)[]): string {
  return fixed.reduce((so_far, text, at) => {
    const part = parts[at - 1];
    return so_far + (part === undefined ? "" : encodeURIComponent(part)) + text;
  });
}
