import { expect, test } from "vitest";
import { isForeign, ownersOf, unique } from "./producers.ts";

test("DAGs and owners are named once", () => {
  expect(unique([{ dag_id: "b" }, { dag_id: "a" }, { dag_id: "b" }])).toEqual(["b", "a"]);
  expect(ownersOf([{ owner: "bob" }, { owner: "" }, { owner: "ann" }, { owner: "bob" }])).toEqual([
    "ann",
    "bob",
  ]);
});

test("an asset of another team is known by its name", () => {
  expect([isForeign("@shop/orders"), isForeign("orders")]).toEqual([true, false]);
});
