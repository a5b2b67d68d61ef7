import { beforeAll, expect, inject, test } from "vitest";
import { ran } from "./api.ts";
import { inBrowser, violations } from "./browser.ts";

const server = inject("server");
const { page } = inBrowser();
const VIEWS = ["grid", "graph", "gantt", "calendar"] as const;

beforeAll(async () => {
  await ran(server, "invoices");
});

test.each(VIEWS)("%s: nothing that some cannot read, in light and dark", async (view) => {
  await page().goto(`/t/default/dags/invoices/${view}`);
  await shown(view);
  for (const colorScheme of ["light", "dark"] as const) {
    await page().emulateMedia({ colorScheme });
    expect(await violations(page())).toEqual([]);
  }
});

test.each(VIEWS)("%s: on a phone nothing is wider than the screen", async (view) => {
  await page().setViewportSize({ width: 375, height: 812 });
  await page().goto(`/t/default/dags/invoices/${view}`);
  await shown(view);
  expect(await page().evaluate(() => document.documentElement.scrollWidth)).toBe(375);
  await page().setViewportSize({ width: 1440, height: 900 });
});

test("from the first failure in the grid, by keyboard, to the same task in graph and Gantt", async () => {
  await page().goto("/t/default/dags/invoices/grid");
  await shown("grid");
  await page().keyboard.press("g");
  const cell = page().getByRole("gridcell");
  await expect.poll(() => cell.textContent()).toMatch(/failed/);
  const task = (await cell.textContent())?.split(",")[0] ?? "";
  await page().keyboard.press("Enter");
  await page().waitForURL((url) => url.searchParams.get("task") === task);
  await page().getByRole("link", { name: "Graph", exact: true }).click();
  await page()
    .getByRole("button", { pressed: true, name: new RegExp(`^${task}\\b`) })
    .first()
    .waitFor();
  await page().getByRole("link", { name: "Gantt", exact: true }).click();
  await page()
    .getByRole("button", { pressed: true, name: new RegExp(`^${task}\\b`) })
    .first()
    .waitFor();
});

/** The view has come, with what it is there to show. */
async function shown(view: (typeof VIEWS)[number]): Promise<void> {
  const signs = {
    grid: page().getByRole("treegrid").locator("canvas"),
    graph: page()
      .locator("main")
      .getByRole("button", { name: /, (success|failed)/ }),
    gantt: page()
      .getByRole("group", { name: /task instances by time/ })
      .getByRole("button"),
    calendar: page().getByRole("button", { name: /: \d+ runs?/ }),
  };
  await signs[view].first().waitFor();
}
