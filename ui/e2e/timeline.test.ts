import { beforeAll, expect, inject, test } from "vitest";
import { ran } from "./api.ts";
import { inBrowser } from "./browser.ts";

const server = inject("server");
const { page } = inBrowser();

beforeAll(async () => {
  await ran(server, "orders");
});

const row = () => page().locator("main li").filter({ hasText: "orders" });

test("by keyboard from a DAG to its runs, and from what will run to its calendar", async () => {
  await page().goto("/t/default/overview");
  await page().locator("main h1").waitFor();
  await page().keyboard.press("g");
  await page().keyboard.press("t");
  await page().waitForURL(/\/timeline$/);
  await page().getByRole("button", { name: "24 hours" }).click();
  await page().waitForURL(/span=24h/);
  await row()
    .getByRole("link", { name: /will run/ })
    .first()
    .waitFor();
  await row().getByRole("link", { name: "orders", exact: true }).focus();
  await page().keyboard.press("ArrowRight");
  await page().keyboard.press("Enter");
  await page().waitForURL(/\/runs\/\w+$/);
  await page().goBack();
  await row()
    .getByRole("link", { name: /will run/ })
    .first()
    .click();
  await page().waitForURL(/\/dags\/orders\/calendar/);
});

test("a pool says in words what its chart shows", async () => {
  await page().goto("/t/default/timeline?span=24h");
  const pool = page().getByRole("img", { name: /^Pool default of 128 slots/ });
  await pool.waitFor();
  expect(await pool.getAttribute("aria-label")).toMatch(/at most .+ used/);
});
