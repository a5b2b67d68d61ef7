import { realpathSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, signedIn, violations } from "./browser.ts";
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

test("the timeline says what will be on it", async () => {
  const page = await (await signedIn(browser, server)).newPage();
  await page.goto("/t/default/timeline");
  await page.getByText("No runs in this period").waitFor();
  expect(await violations(page)).toEqual([]);
});
