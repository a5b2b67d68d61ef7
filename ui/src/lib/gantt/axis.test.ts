import { expect, test } from "vitest";
import { showIn } from "../time.ts";
import { ticks } from "./axis.ts";

const at = (text: string) => Date.parse(text);

test("round moments with room for their names", () => {
  const found = ticks(at("2026-11-21T10:03:10Z"), at("2026-11-21T10:41:00Z"), 900, 96, "UTC");
  expect(found.map((tick) => tick.label)).toEqual([
    "10:05",
    "10:10",
    "10:15",
    "10:20",
    "10:25",
    "10:30",
    "10:35",
    "10:40",
  ]);
});

test("midnight is named by its day, in the reader's zone", () => {
  const span = [at("2026-11-20T20:00:00Z"), at("2026-11-21T04:00:00Z")] as const;
  expect(ticks(...span, 900, 96, "Europe/Paris").map((tick) => tick.label)).toContain("21 Nov");
  const indian = ticks(
    at("2026-11-20T20:00:00Z"),
    at("2026-11-21T20:00:00Z"),
    900,
    96,
    "Asia/Kolkata",
  );
  expect(indian.find((tick) => tick.label === "21 Nov")).toBeUndefined();
  expect(indian[0]?.label).toBe("03:00");
});

test("any width and any span has few ticks", () => {
  for (const seconds of [1, 90, 5000, 1e6, 1e9])
    for (const width of [40, 400, 2000]) {
      const found = ticks(0, seconds * 1000, width, 96, "UTC");
      expect(found.length).toBeLessThanOrEqual(Math.max(1, width / 96) + 1);
    }
});

test("without a zone the marks are of the clock that is shown", () => {
  const span = [at("2026-11-20T12:00:00Z"), at("2026-11-20T20:00:00Z")] as const;
  showIn("Asia/Tokyo");
  const tokyo = ticks(...span, 900).map((tick) => tick.label);
  showIn("UTC");
  const greenwich = ticks(...span, 900).map((tick) => tick.label);
  showIn(undefined);
  expect(tokyo[0]).toBe("21:00");
  expect(tokyo).toContain("21 Nov");
  expect(greenwich[0]).toBe("12:00");
  expect(greenwich).not.toContain("21 Nov");
});

test("marks stay round behind a change of the clock", () => {
  const span = [at("2026-03-28T11:00:00Z"), at("2026-03-31T11:00:00Z")] as const;
  const labels = ticks(...span, 900, 96, "Europe/Paris").map((tick) => tick.label);
  expect(labels).toEqual(["12:00", "29 Mar", "12:00", "30 Mar", "12:00", "31 Mar", "12:00"]);
});
