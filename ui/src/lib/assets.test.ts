import { expect, test } from "vitest";
import { isAlias, nameOf } from "./assets.ts";

test("an alias is told from an asset, also from one of another team", () => {
  expect(["@alias:files", "@shop/orders", "orders"].map(isAlias)).toEqual([true, false, false]);
  expect(["@alias:files", "@shop/orders"].map(nameOf)).toEqual(["alias files", "@shop/orders"]);
});
