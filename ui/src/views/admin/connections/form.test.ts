import { expect, test } from "vitest";
import type { Connection } from "@/api/types.ts";
import { EMPTY, fieldsOf, formOf, requestOf, target, wrongExtra, wrongPort } from "./form.ts";

const STORED: Connection = {
  conn_id: "lake",
  conn_type: "aws",
  host: null,
  port: null,
  schema: null,
  login: "AKIA",
  has_password: true,
  extra: { region_name: "eu-west-1", secret: "***" },
  description: "",
  dags: ["nightly"],
  changed_at: null,
  changed_by: "user:ada",
};

test("a form that changes nothing sends what is stored, and no password", () => {
  expect(requestOf(formOf(STORED))).toEqual({
    conn_type: "aws",
    host: null,
    port: null,
    schema: null,
    login: "AKIA",
    extra: { region_name: "eu-west-1", secret: "***" },
    description: "",
    dags: ["nightly"],
  });
});

test("a password is sent when it is typed, and removed when that is asked for", () => {
  expect(requestOf({ ...EMPTY, password: "new" }).password).toBe("new");
  expect(requestOf({ ...EMPTY, forget: true }).password).toBe(null);
  expect(requestOf({ ...EMPTY, password: "new", forget: true }).password).toBe("new");
});

test("a type has its own fields by its own names; what is filled in stays visible", () => {
  expect(fieldsOf({ ...EMPTY, type: "aws" }, false)).toEqual([
    ["login", "Access key ID"],
    ["password", "Secret access key"],
  ]);
  expect(fieldsOf({ ...EMPTY, type: "aws", host: "h" }, false)[0]).toEqual(["host", "Host"]);
  expect(fieldsOf({ ...EMPTY, type: "google_cloud_platform" }, true)).toEqual([
    ["password", "Password"],
  ]);
  expect(fieldsOf({ ...EMPTY, type: "of_our_own" }, false)).toHaveLength(5);
});

test("ports and extras that are none are told", () => {
  for (const good of ["", "1", " 5432 ", "65535"]) expect(wrongPort(good)).toBe(null);
  for (const bad of ["0", "65536", "x", "-1", "1.5"]) expect(wrongPort(bad)).toContain("65535");
  for (const good of ["", "{}", '{"a": 1}']) expect(wrongExtra(good)).toBe(null);
  for (const bad of ["[]", "null", "1", "{", '"a"']) expect(wrongExtra(bad)).toContain("JSON");
});

test("where a connection leads", () => {
  expect(target({ ...STORED, host: "db", port: 5432, schema: "sales" })).toBe("db:5432/sales");
  expect(target(STORED)).toBe("");
});
