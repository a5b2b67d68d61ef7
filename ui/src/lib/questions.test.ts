import { expect, test } from "vitest";
import type { Question } from "@/api/types.ts";
import { assignees, filled, overdue } from "./questions.ts";

const question = {
  ask: "approve",
  assigned_users: [],
  assigned_roles: [],
  defaults: null,
  has_default: false,
} as unknown as Question;

test("those who may answer are named", () => {
  expect(assignees(question)).toBe("");
  expect(assignees({ ...question, assigned_users: ["ann"] })).toBe("ann");
  const several = { ...question, assigned_users: ["ann", "bob"], assigned_roles: ["ops"] };
  expect(assignees(several)).toBe("ann, bob and the role ops");
});

test("what follows without an answer is told", () => {
  expect(overdue(question)).toBe("then the task fails");
  const known = { ...question, has_default: true, defaults: ["Reject"] };
  expect(overdue(known)).toBe("then Reject");
  expect(overdue({ ...known, ask: "ask" })).toBe("then the defaults hold");
});

test("a text is shown as it is, any other value as JSON", () => {
  expect([filled("a b"), filled(3), filled(["x"])]).toEqual(["a b", "3", '["x"]']);
});
