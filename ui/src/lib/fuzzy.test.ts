import { expect, test } from "vitest";
import { fuzzy, search } from "./fuzzy.ts";

const DAGS = ["nightly_warehouse", "warehouse_checks", "hourly_events", "wh"];
const found = (query: string) => search(query, DAGS, (dag) => dag).map((match) => match.item);

test("what begins with the words comes before what contains them", () => {
  expect(found("warehouse")).toEqual(["warehouse_checks", "nightly_warehouse"]);
  expect(found("wh")[0]).toBe("wh");
});

test("letters in order match, the beginnings of words best", () => {
  expect(found("nwh")).toEqual(["nightly_warehouse"]);
  expect(fuzzy("he", "hourly_events")?.at).toEqual([0, 7]);
  expect(fuzzy("zz", "hourly_events")).toBeNull();
});

test("nothing typed: everything, in its order", () => {
  expect(found(" ")).toEqual(DAGS);
});
