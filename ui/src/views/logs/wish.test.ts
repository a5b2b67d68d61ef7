import { expect, test } from "vitest";
import { asked, isNarrow, wishOf } from "./wish.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");

test("what a URL says, and nothing that makes no sense", () => {
  const said = { q: "timed out", regex: "true", case: "true", dag: "d", state: "failed", to: "no" };
  const { to: _to, ...sense } = said;
  expect(wishOf(said)).toEqual({ ...sense, regex: true, case: true });
  expect(wishOf({ q: " ", regex: "no", state: "done", from: "2d", other: "x" })).toEqual({});
  expect(wishOf({ from: "24h", to: "2026-11-20" })).toEqual({ from: "24h", to: "2026-11-20" });
});

test("a period ends now; a moment stays what it is", () => {
  const wish = { q: "x", dag: "d", from: "24h", to: "2026-11-21T00:00:00Z" };
  expect(asked(wish, NOW)).toMatchObject({
    q: "x",
    regex: false,
    ignore_case: true,
    dag_id: "d",
    from: "2026-11-20T12:00:00.000Z",
    to: "2026-11-21T00:00:00.000Z",
  });
  const moment = "2026-01-01T00:00:00.000Z";
  expect(asked({ q: "x", case: true, from: moment }, NOW)).toMatchObject({
    ignore_case: false,
    from: moment,
  });
});

test("within a run there are no runs to choose from", () => {
  expect(asked({ q: "x", run: "r", dag: "d", from: "1h" }, NOW)).toEqual({
    q: "x",
    regex: false,
    ignore_case: true,
  });
});

test("a filter narrows; how the text is meant does not", () => {
  expect(isNarrow({ q: "x", regex: true })).toBe(false);
  expect(isNarrow({ q: "x", dag: "d" })).toBe(true);
  expect(isNarrow({ q: "x", case: true })).toBe(true);
});
