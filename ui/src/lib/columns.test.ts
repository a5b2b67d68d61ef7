import { expect, test } from "vitest";
import { fitting, nextSort } from "./columns.ts";

const NAME = { key: "name", width: "minmax(140px, 4fr)" };
const OWNER = { key: "owner", width: "minmax(90px, 1fr)", secondary: 2 };
const NEXT = { key: "next", width: "96px", secondary: true };
const LAST = { key: "last", width: "500px" };
const ALL = [NAME, OWNER, NEXT, LAST];
const keys = (width: number) => fitting(ALL, width).map(({ key }) => key);

test("as many columns as there is room for, the least important left out first", () => {
  expect(keys(826)).toEqual(["name", "owner", "next", "last"]);
  expect(keys(825)).toEqual(["name", "next", "last"]);
  expect(keys(735)).toEqual(["name", "last"]);
});

test("a narrow page has only what cannot be left out, however little room there is", () => {
  expect(keys(719)).toEqual(["name", "last"]);
  expect(keys(100)).toEqual(["name", "last"]);
});

test("a click on a head asks for its first order, then turns it", () => {
  const sorts = [
    { by: "-last_run", down: true },
    { by: "last_run", down: false },
  ];
  expect(nextSort(sorts, "name")).toBe("-last_run");
  expect(nextSort(sorts, "-last_run")).toBe("last_run");
  expect(nextSort(sorts, "last_run")).toBe("-last_run");
});

test("a spare column goes where a phone has no room for it, and not before", () => {
  const columns = [
    { key: "name", width: "minmax(110px, 1fr)" },
    { key: "since", width: "92px", spare: true },
    { key: "host", width: "120px", secondary: true },
    { key: "menu", width: "160px" },
  ];
  const keys = (width: number) => fitting(columns, width).map(({ key }) => key);
  expect(keys(1440)).toEqual(["name", "since", "host", "menu"]);
  expect(keys(375)).toEqual(["name", "since", "menu"]);
  expect(keys(320)).toEqual(["name", "menu"]);
  expect(keys(200)).toEqual(["name", "menu"]);
});
