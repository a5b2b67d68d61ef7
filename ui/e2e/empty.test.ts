import { realpathSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, signedIn, violations } from "./browser.ts";
import { faults } from "./layout.ts";
import { type Server, start } from "./server.ts";

/** A server that has nothing yet. */
let server: Server;
let stop: () => Promise<void>;
let browser: Browser;

beforeAll(async () => {
  [server, stop] = await start({ empty: true });
  browser = await launch();
});

afterAll(async () => {
  await browser?.close();
  await stop?.();
});

test("Home names the folder in which the first DAG is awaited", async () => {
  const page = await (await signedIn(browser, server)).newPage();
  await page.goto("/t/default/overview");
  await page.getByText("No DAGs yet").waitFor();
  const folder = page.locator("main code").first();
  await expect.poll(() => folder.textContent()).toBe(realpathSync(server.dags));
  expect(await violations(page)).toEqual([]);
});

// What is not there yet is told, and what brings it: a command to copy, a button, or a folder.
test.each([
  ["dags", "No DAGs yet"],
  ["runs", "No runs yet"],
  ["backfills", "No backfills yet"],
  ["events", "No events yet"],
  ["dependencies", "No DAG waits for another"],
  ["assets", "No assets yet"],
  ["import-errors", "All files loaded successfully"],
  ["admin/connections", "No connections yet"],
  ["admin/variables", "No variables yet"],
  ["admin/webhooks", "No webhooks yet"],
  ["admin/outbound", "No outbound webhooks yet"],
  ["admin/tokens", "No tokens yet"],
])("%s: what will be there, and the next step", async (path, title) => {
  const page = await (await signedIn(browser, server)).newPage();
  await page.goto(`/t/default/${path}`);
  await page.locator("main").getByText(title).waitFor();
  const steps = page.locator("main").getByRole("button", { name: /^(Copy|New) / });
  await steps.or(page.locator("main code")).first().waitFor();
  expect(await faults(page)).toEqual([]);
});

test("a link that does not sign in says so in a sentence", async () => {
  const page = await (await browser.newContext({ baseURL: server.url })).newPage();
  await page.goto("/login#no-such-link");
  const alert = page.getByRole("alert");
  await alert.getByText(/^This sign-in link was already used or has expired/).waitFor();
});

test("the timeline says what will be on it", async () => {
  const page = await (await signedIn(browser, server)).newPage();
  await page.goto("/t/default/timeline");
  await page.getByText("No runs in this period").waitFor();
  expect(await violations(page)).toEqual([]);
});
