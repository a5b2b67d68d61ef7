import { expect, test } from "vitest";
import { answersTo } from "./grants.ts";

const words = (owner: string, state: "asked" | "given" | "refused" | "revoked") =>
  answersTo({ owner, state }, "us").map(({ word }) => word);

test("each team is offered what it may answer", () => {
  expect(words("us", "asked")).toEqual(["Give", "Refuse"]);
  expect(words("us", "given")).toEqual(["Revoke"]);
  expect(words("us", "revoked")).toEqual(["Give"]);
  expect(words("us", "refused")).toEqual(["Give"]);
  expect(words("them", "asked")).toEqual(["Withdraw"]);
  expect(words("them", "given")).toEqual(["Hand back"]);
  expect(words("them", "refused")).toEqual([]);
});
