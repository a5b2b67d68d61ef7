import type { Connection, ConnectionRequest } from "@/api/types.ts";
import { type FieldName, kindOf } from "./kinds.ts";

/** What stands in the form: text, as typed. The stored password is never in it. */
export interface Form {
  id: string;
  type: string;
  host: string;
  port: string;
  schema: string;
  login: string;
  password: string;
  forget: boolean;
  extra: string;
  description: string;
  dags: string[] | null;
}

export const EMPTY: Form = {
  id: "",
  type: "postgres",
  host: "",
  port: "",
  schema: "",
  login: "",
  password: "",
  forget: false,
  extra: "",
  description: "",
  dags: null,
};

export function formOf(connection: Connection): Form {
  const { extra } = connection;
  return {
    id: connection.conn_id,
    type: connection.conn_type,
    host: connection.host ?? "",
    port: String(connection.port ?? ""),
    schema: connection.schema ?? "",
    login: connection.login ?? "",
    password: "",
    forget: false,
    extra: Object.keys(extra).length > 0 ? JSON.stringify(extra, null, 2) : "",
    description: connection.description,
    dags: connection.dags,
  };
}

/** The fields of the type, and those that hold something all the same. */
export function fieldsOf(form: Form, stored: boolean): [FieldName, string][] {
  const all = kindOf("").fields;
  const named = kindOf(form.type).fields;
  const filled = (name: FieldName) => (name === "password" && stored) || form[name] !== "";
  return (Object.keys(all) as FieldName[])
    .filter((name) => name in named || filled(name))
    .map((name) => [name, named[name] ?? all[name] ?? name]);
}

/** What is wrong with the port, or nothing. */
export function wrongPort(text: string): string | null {
  if (text.trim() === "") return null;
  const port = Number(text);
  return /^\d+$/.test(text.trim()) && port >= 1 && port <= 65_535
    ? null
    : "Enter a number from 1 to 65535, or leave empty.";
}

/** What is wrong with the extras, or nothing. */
export function wrongExtra(text: string): string | null {
  return extraOf(text) === null
    ? 'Enter a JSON object, for instance {"sslmode": "require"}, or leave empty.'
    : null;
}

function extraOf(text: string): Record<string, unknown> | null {
  if (text.trim() === "") return {};
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === "object" && found !== null && !Array.isArray(found)
      ? (found as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** What is sent: without a new password, the stored one stays. */
export function requestOf(form: Form): ConnectionRequest {
  const password = form.password || (form.forget ? null : undefined);
  return {
    conn_type: form.type,
    host: form.host || null,
    port: form.port.trim() === "" ? null : Number(form.port),
    schema: form.schema || null,
    login: form.login || null,
    ...(password === undefined ? {} : { password }),
    extra: extraOf(form.extra) ?? {},
    description: form.description,
    dags: form.dags,
  };
}

/** Where it leads, in one line: `db.internal:5432/sales`. */
export function target({ host, port, schema }: Connection): string {
  return `${host ?? ""}${port ? `:${port}` : ""}${schema ? `/${schema}` : ""}`;
}
