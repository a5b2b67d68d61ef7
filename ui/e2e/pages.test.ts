import { beforeAll, expect, inject, test } from "vitest";
import { ask, ran } from "./api.ts";
import { inBrowser, violations } from "./browser.ts";

const PAGES: [path: string, shows: RegExp][] = [
  ["overview", /DAGs? (is|are) failing/],
  ["dags", /hourly_warehouse/],
  ["dags/invoices/runs", /failed/],
  ["dags/orders/run", /country/],
  ["runs", /invoices/],
  ["backfills", /of 3/],
  ["events", /succeed/],
  ["slots", /of 128/],
  ["import-errors", /shedule/],
  ["admin/users", /admin/],
  ["admin/tokens", /New token/],
  ["admin/audit", /as it was written/],
  ["nowhere", /no such page/],
];

const server = inject("server");
const { page } = inBrowser();

beforeAll(async () => {
  await ran(server, "invoices");
  await ran(server, "orders");
  await ask(server, "/dags/orders/backfills", {
    from: "2026-10-01T00:00:00Z",
    to: "2026-10-03T00:00:00Z",
  });
});

test.each(PAGES)("%s shows what is there, for everybody", async (path, shows) => {
  await page().goto(`/t/default/${path}`);
  await page().locator("main").getByText(shows).first().waitFor();
  for (const colorScheme of ["light", "dark"] as const) {
    await page().emulateMedia({ colorScheme });
    expect(await violations(page())).toEqual([]);
  }
});

test("on a phone nothing is wider than the screen", async () => {
  await page().setViewportSize({ width: 375, height: 812 });
  for (const [path, shows] of PAGES) {
    await page().goto(`/t/default/${path}`);
    await page().locator("main").getByText(shows).first().waitFor();
    const width = await page().evaluate(() => document.documentElement.scrollWidth);
    expect([path, width]).toEqual([path, 375]);
  }
  await page().getByRole("button", { name: "More" }).click();
  await page().getByRole("menuitem", { name: "Events" }).click();
  await page().waitForURL(/\/events/);
  await page().setViewportSize({ width: 1440, height: 900 });
});
