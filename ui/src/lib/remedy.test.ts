import { expect, test } from "vitest";
import { remedyOf, withoutCommand } from "./remedy.ts";

test("each reason for which a task can never run has its next step", () => {
  expect(remedyOf({ kind: "pool_missing", pool: "gpu" }, 12)).toEqual({
    kind: "pool",
    pool: "gpu",
    slots: 12,
    before: null,
  });
  expect(remedyOf({ kind: "pool_empty", pool: "gpu" })).toMatchObject({ slots: 8, before: 0 });
  expect(remedyOf({ kind: "pool_too_small", pool: "gpu", needed: 9, slots: 4 })).toMatchObject({
    slots: 9,
    before: 4,
  });
  expect(remedyOf({ kind: "queue_unserved", queue: "gpu", executor: "" })).toEqual({
    kind: "command",
    command: "headway up --queue default --queue gpu",
  });
  expect(remedyOf({ kind: "pool_not_shared", pool: "gpu", team: "infra" })).toEqual({
    kind: "command",
    command: "headway grant ask infra use_pool gpu",
  });
  expect(remedyOf({ kind: "pool_empty", pool: "@infra/gpu" })).toBeNull();
  expect(remedyOf({ kind: "pool_too_small", pool: "@infra/gpu", needed: 9, slots: 4 })).toBeNull();
  expect(remedyOf({ kind: "no_agent" })).toEqual({ kind: "command", command: "headway up" });
  expect(remedyOf({ kind: "pool_full", pool: "gpu", used: 1, slots: 1 })).toBeNull();
});

test("a command is not said twice: where the remedy stands beside it, the reason leaves it out", () => {
  const said = "pool `gpu` does not exist: headway pool set gpu 16";
  const remedy = remedyOf({ kind: "pool_missing", pool: "gpu" });
  expect(withoutCommand(said, remedy)).toBe("pool `gpu` does not exist");
  expect(withoutCommand(said, null)).toBe(said);
  expect(withoutCommand("needs 4 slots, but pool `gpu` has 2", remedy)).toBe(
    "needs 4 slots, but pool `gpu` has 2",
  );
});
