import { reach } from "./reach.ts";
import type { paths } from "./schema.ts";

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

/** Whether to ask the same again in a moment: the server or its database was too busy to answer, a few times at most. */
export function isBusy(failures: number, error: unknown): boolean {
  return failures < 4 && error instanceof Problem && error.status === 503;
}

const BASE = "/api/v1";
type Base = typeof BASE;
type Verb = "get" | "post" | "put" | "patch" | "delete";

/** The routes of the API's document that know a verb, without what all of them begin with. */
export type Route<V extends Verb> = {
  [P in keyof paths]: paths[P] extends Record<V, object> ? Short<P> : never;
}[keyof paths];
type Short<P> = P extends `${Base}${infer R}` ? R : never;

type Operation<V extends Verb, R extends Route<V>> = `${Base}${R}` extends infer P extends
  keyof paths
  ? paths[P][V]
  : never;
type Given<O, K extends string> = O extends { parameters: Record<K, infer P> } ? P : never;
type Loose<Q> = { [K in keyof Q]: Q[K] | null };
/** What can be asked of a route; null and an empty text are not sent. */
export type QueryOf<R extends Route<"get">> = QueryIn<Operation<"get", R>>;
type QueryIn<O> = O extends { parameters: { query?: infer Q } } ? Loose<NonNullable<Q>> : never;
type BodyIn<O> = O extends { requestBody: { content: { "application/json": infer B } } }
  ? B
  : never;
type Succeeded<O> = O extends { responses: infer A } ? A[keyof A & (200 | 201 | 202 | 204)] : never;

/** What a route answers; undefined: nothing but that it is done. */
export type Answer<V extends Verb, R extends Route<V>> =
  Succeeded<Operation<V, R>> extends { content: { "application/json": infer J } } ? J : undefined;

type Needed<K extends string, T> = [T] extends [never]
  ? { [key in K]?: never }
  : Record<never, never> extends T
    ? { [key in K]?: T }
    : { [key in K]: T };
type Wanted<O> = Needed<"path", Given<O, "path">> &
  Needed<"query", QueryIn<O>> &
  Needed<"body", BodyIn<O>> & {
    /** The same key asks for the same thing once, however often it is sent. */
    idempotencyKey?: string;
    /** The team whose things they are, where a grant of another team opens them. */
    of?: string;
    signal?: AbortSignal;
  };
/** Left out where nothing of it is needed. */
type Rest<W> = Record<never, never> extends W ? [wanted?: W] : [wanted: W];

interface Anything {
  path?: Record<string, string | number>;
  query?: Query;
  body?: unknown;
  idempotencyKey?: string;
  of?: string;
  signal?: AbortSignal;
}
type Query = Record<string, string | number | boolean | readonly string[] | null | undefined>;

/** What the API answers, as its own document types it. Throws Problem for anything but success. */
export async function request<V extends Verb, R extends Route<V>>(
  verb: V,
  route: R,
  ...rest: Rest<Wanted<Operation<V, R>>>
): Promise<Answer<V, R>>;
export async function request(verb: Verb, route: string, wanted: Anything = {}): Promise<unknown> {
  const response = await send(verb, route, wanted);
  if (!response.ok) throw await problemOf(response);
  const text = await response.text();
  return text ? JSON.parse(text) : undefined;
}

const TEAM = "headway-team";

/** The team whose page this is; before anybody is signed in there is none. A page of another team is loaded anew. */
function team(): string | null {
  const found = /^\/t\/([^/]+)/.exec(globalThis.location?.pathname ?? "");
  return found?.[1] ? decodeURIComponent(found[1]) : null;
}

/** Where a GET is answered, for what asks by itself, without headers: a stream of events, a link. */
export function address<R extends Route<"get">>(
  route: R,
  ...rest: Rest<Pick<Wanted<Operation<"get", R>>, "path" | "query">>
): string;
export function address(route: string, { path, query }: Anything = {}): string {
  return located(route, { path, query: { ...query, [TEAM]: team() } });
}

/** With what varies in its path escaped. */
function located(route: string, { path = {}, query }: Anything): string {
  const filled = route.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(path[name] ?? ""));
  return `${BASE}${filled}${encoded(query)}`;
}

async function send(verb: Verb, route: string, wanted: Anything): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json" };
  const of = wanted.of ?? team();
  if (of) headers[TEAM] = of;
  if (wanted.body !== undefined) headers["content-type"] = "application/json";
  if (wanted.idempotencyKey) headers["idempotency-key"] = wanted.idempotencyKey;
  try {
    const response = await fetch(located(route, wanted), {
      method: verb.toUpperCase(),
      headers,
      body: wanted.body === undefined ? undefined : JSON.stringify(wanted.body),
      signal: wanted.signal,
      credentials: "same-origin",
    });
    // A proxy that answers for a server that does not.
    if (response.status === 502 || response.status === 504) reach.missed();
    else reach.answered();
    return response;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    reach.missed();
    throw new Problem(0, "not_reachable", "Cannot reach the server.", "Is headway up running?");
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
    const said: Partial<Record<string, string>> = await response.json();
    const detail = said.detail ?? said.title ?? `The server answered ${status}.`;
    return new Problem(status, said.code ?? "unknown", detail, said.hint, said.where);
  } catch {
    return new Problem(status, "unknown", `The server answered ${status}.`);
  }
}
