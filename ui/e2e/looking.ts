/** How pictures and tests get to a page, and know that it shows all that it loads. */
import type { Browser, Page } from "playwright-core";
import { signedIn } from "./browser.ts";
import { type Ids, VIEWER } from "./gallery.ts";
import type { Server } from "./server.ts";
import type { Shot } from "./shots.ts";

export type Lookers = Record<"admin" | "viewer" | "stranger", Page>;

/** A page for each kind of people who look. A viewer: where there is one. */
export async function lookers(
  browser: Browser,
  server: Server,
  options: Parameters<Browser["newContext"]>[0] = {},
  viewer: string | undefined = VIEWER,
): Promise<Lookers> {
  const admin = await signedIn(browser, server, options);
  const other = await signedIn(browser, server, options, viewer);
  const stranger = await browser.newContext({ baseURL: server.url, ...options });
  return {
    admin: await admin.newPage(),
    viewer: await other.newPage(),
    stranger: await stranger.newPage(),
  };
}

/** The page of a shot, as it is meant: with what was opened on it, and what is wrong. */
export async function lookAt(pages: Lookers, shot: Shot, ids?: Ids): Promise<Page> {
  const page = pages[shot.who ?? "admin"];
  await page.unrouteAll({ behavior: "ignoreErrors" });
  await page.goto("about:blank"); // an address that differs in its hash alone is no new page
  await shot.trouble?.(page);
  await page.goto(typeof shot.path === "string" ? shot.path : shot.path(ids as Ids));
  await settled(page);
  await shot.act?.(page);
  const body = page.locator("body");
  await body.getByText(shot.shows).filter({ visible: true }).first().waitFor();
  await settled(page);
  return page;
}

/** Until the page shows what it loaded: nothing is on its way, but for the stream, which never ends. */
export async function settled(page: Page): Promise<void> {
  await page.locator("main:visible, p:visible").first().waitFor();
  await page.evaluate(() => document.fonts.ready);
  await page.waitForFunction(() => {
    const asked = performance.getEntriesByType("resource");
    const quiet = performance.now() - Math.max(0, ...asked.map((each) => each.startTime)) > 400;
    return quiet && !document.querySelector("[role=status][aria-label=Loading]");
  });
}
