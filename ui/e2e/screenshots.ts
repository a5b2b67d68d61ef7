/**
 * Every page, light and dark, in three widths, full and empty: `make screenshots`. With HEADWAY_URL
 * and HEADWAY_TOKEN it shows a server that runs already, filled by an earlier call; ONLY chooses
 * pages, WIDTHS widths, OUT the folder.
 */
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { launch } from "./browser.ts";
import { fill, type Ids, idsOf } from "./gallery.ts";
import { type Lookers, lookAt, lookers } from "./looking.ts";
import { DIALOGS } from "./opened.ts";
import { type Server, start } from "./server.ts";
import { NEW, PAGES, type Shot } from "./shots.ts";
import { TROUBLES } from "./troubles.ts";

const DAGS = fileURLToPath(new URL("./dags", import.meta.url));
const OUT = process.env.OUT ?? fileURLToPath(new URL("../../out/screenshots", import.meta.url));
const WIDTHS = (process.env.WIDTHS ?? "1440,1024,390").split(",").map(Number);
const ONLY = process.env.ONLY?.split(",");

async function take(
  browser: Browser,
  server: Server,
  shots: readonly Shot[],
  ids?: Ids,
): Promise<void> {
  const chosen = shots.filter(({ name }) => !ONLY || ONLY.includes(name));
  for (const colorScheme of ["light", "dark"] as const) {
    const pages = await lookers(browser, server, { colorScheme }, ids ? undefined : "admin");
    for (const width of WIDTHS) {
      const viewport = { width, height: width < 500 ? 812 : 900 };
      for (const page of Object.values(pages)) await page.setViewportSize(viewport);
      for (const shot of chosen)
        await picture(pages, shot, `${shot.name}-${colorScheme}-${width}`, ids);
    }
    for (const page of Object.values(pages)) await page.context().close();
  }
}

/** A page that does not get as far as it should is in the pictures too, and fails the command in the end. */
async function picture(pages: Lookers, shot: Shot, name: string, ids?: Ids): Promise<void> {
  try {
    await lookAt(pages, shot, ids);
  } catch (error) {
    process.stderr.write(`${name}: ${error}\n`);
    process.exitCode = 1;
  }
  await pages[shot.who ?? "admin"].screenshot({ path: join(OUT, `${name}.png`) });
}

mkdirSync(OUT, { recursive: true });
const browser = await launch();
const { HEADWAY_URL: url, HEADWAY_TOKEN: token } = process.env;
const all = [...PAGES, ...DIALOGS, ...TROUBLES];
if (url && token) {
  const server = { url, token, dags: "" };
  await take(browser, server, all, await idsOf(server));
} else {
  const [server, stop] = await start({ empty: true });
  try {
    await take(browser, server, NEW);
    cpSync(DAGS, server.dags, { recursive: true });
    await fill(server);
    await take(browser, server, all, await idsOf(server));
  } finally {
    await stop();
  }
}
await browser.close();
