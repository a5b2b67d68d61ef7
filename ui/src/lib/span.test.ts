import { afterEach, expect, test } from "vitest";
import { asked, spanIn, spanWords } from "./span.ts";
import { showIn } from "./time.ts";

const NOW = Date.parse("2026-11-29T12:00:00Z");

afterEach(() => showIn(undefined));

test("a span up to now", () => {
  expect(asked({ within: "24h" }, NOW)).toEqual({ from: "2026-11-28T12:00:00.000Z" });
  expect(spanWords({ within: "24h" })).toBe("last 24 h");
});

test("days are those of the zone that is shown, the last one included", () => {
  showIn("Europe/Paris");
  expect(asked({ from: "2026-10-24", to: "2026-10-25" }, NOW)).toEqual({
    from: "2026-10-23T22:00:00.000Z",
    to: "2026-10-25T23:00:00.000Z", // the day that clocks are set back is longer
  });
  expect(spanWords({ from: "2026-10-24", to: "2026-10-25" })).toBe("2026-10-24 – 2026-10-25");
  expect(spanWords({ to: "2026-10-25" })).toBe("until 2026-10-25");
  expect(spanWords({})).toBeNull();
});

test("of an address only what makes sense", () => {
  expect(spanIn({ within: "7d", from: "2026-01-01" })).toEqual({ within: "7d" });
  expect(spanIn({ within: "9d", from: "2026-01-01", to: "tomorrow" })).toEqual({
    from: "2026-01-01",
    to: undefined,
  });
  expect(spanIn({ from: "2026-99-99" }).from).toBeUndefined();
});
