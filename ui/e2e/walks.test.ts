import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch, signedIn } from "./browser.ts";
import { start } from "./server.ts";
import { fill, HEAD, told, type Walked, walked } from "./walking.ts";
import { type Facts, WALKS } from "./walks.ts";

/**
 * What three kinds of people do, each from the Home page: it can be done, with no more clicks than are written down, and no
 * more than the first interface took. Seconds are printed and never judged. On a server of its own: a task finds what the
 * tasks before it did.
 */
const done: Walked[] = [];
let browser: Browser;
let context: BrowserContext;
let facts: Facts;
let stop = async () => {};

beforeAll(async () => {
  const [server, end] = await start();
  stop = end;
  facts = await fill(server);
  browser = await launch();
  context = await signedIn(browser, server, { viewport: { width: 1440, height: 900 } });
});

afterAll(async () => {
  process.stdout.write(`${[HEAD, ...done.map(told)].join("\n")}\n`);
  await browser?.close();
  await stop();
});

test.each(WALKS.map((walk) => [walk.who, walk.task, walk] as const))("%s: %s", async (...row) => {
  const walk = row[2];
  const result = await walked(context, facts, walk);
  done.push(result);
  expect(result.trouble).toBe("");
  expect(result.clicks).toBeLessThanOrEqual(walk.clicks);
  expect(walk.clicks).toBeLessThanOrEqual(walk.before ?? Number.POSITIVE_INFINITY);
});
