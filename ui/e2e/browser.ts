import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject } from "vitest";
import { link, PATIENCE_MS } from "./api.ts";
import type { Server } from "./server.ts";

const PROGRAM = process.env.HEADWAY_CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export async function launch(): Promise<Browser> {
  if (!existsSync(PROGRAM)) throw new Error(`there is no ${PROGRAM}: apt-get install chromium`);
  return await chromium.launch({ executablePath: PROGRAM, args: FLAGS });
}

/** Somebody at a browser, signed in by a link; what the page complained about is kept. */
export async function signedIn(
  browser: Browser,
  server: Server,
  options: Parameters<Browser["newContext"]>[0] = {},
  user?: string,
): Promise<BrowserContext> {
  const context = await browser.newContext({
    baseURL: server.url,
    reducedMotion: "reduce",
    timezoneId: "Europe/Paris",
    serviceWorkers: "block", // what a test routes is then all that there is
    ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  await page.goto(await link(server, user));
  await page.waitForURL(/\/t\//).catch(async (error: Error) => {
    throw new Error(`not signed in: ${await page.locator("body").textContent()}\n${error.message}`);
  });
  await page.close();
  return context;
}

/** A page for each test file, signed in; the tests fail when the page complains in its console. */
export function inBrowser(): { page: () => Page; complaints: string[] } {
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  beforeAll(async () => {
    browser = await launch();
    const context = await signedIn(browser, inject("server"), {
      viewport: { width: 1440, height: 900 },
    });
    page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      const { url } = message.location(); // of a request that was refused: which
      if (message.type() === "error") complaints.push(`${message.text()} ${url}`);
    });
  });
  afterAll(async () => {
    await browser?.close();
    expect(complaints).toEqual([]);
  });
  return { page: () => page, complaints };
}

/** How wide the page is; more than the window: something sticks out. */
export async function widthOf(page: Page): Promise<number> {
  return await page.evaluate(() => document.documentElement.scrollWidth);
}

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const OF_COLOURS = ["color-contrast", "link-in-text-block"];

/** What axe finds wrong on the page as it stands: WCAG 2 A and AA, contrast included. */
export async function violations(page: Page, rules = STANDARD): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(AXE);
  return await page.evaluate(async (runOnly) => {
    const { axe } = window as unknown as { axe: typeof import("axe-core") };
    const found = await axe.run(document, { runOnly, resultTypes: ["violations"] });
    return found.violations.flatMap((violation) =>
      violation.nodes.map((node) => `${violation.id}: ${node.target} ${node.failureSummary}`),
    );
  }, rules);
}

/** The same in light and dark, which differ by their colours alone: only what judges these is asked twice. */
export async function violationsInBoth(page: Page): Promise<string[]> {
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await violations(page, OF_COLOURS);
  await page.emulateMedia({ colorScheme: "light" });
  return [...(await violations(page)), ...dark.map((each) => `dark: ${each}`)];
}
