/**
 * Every page, light and dark, in three widths, full and empty: `make screenshots`. With HEADWAY_URL
 * and HEADWAY_TOKEN it shows a server that runs already; ONLY chooses pages, WIDTHS widths.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { ask, ran } from "./api.ts";
import { launch, signedIn } from "./browser.ts";
import { type Server, start } from "./server.ts";

const OUT = new URL("../../out/screenshots", import.meta.url).pathname;
const WIDTHS = (process.env.WIDTHS ?? "1440,375,2560").split(",").map(Number);
const ONLY = process.env.ONLY?.split(",");

interface Shot {
  name: string;
  path: string;
  /** Something to do before the picture. */
  act?: (page: Page) => Promise<void>;
}

const EMPTY: Shot[] = ["overview", "dags", "runs", "slots", "backfills", "events"].map((path) => ({
  name: `empty-${path}`,
  path: `/t/default/${path}`,
}));

async function shots(server: Server): Promise<Shot[]> {
  const newest = async (dag: string) => {
    const { items } = await ask<{ items: { run_id: string }[] }>(server, `/runs?dag_id=${dag}`);
    return items[0]?.run_id;
  };
  const failed = await newest("invoices");
  const good = await newest("hourly_warehouse");
  const dag = "/t/default/dags/hourly_warehouse";
  return [
    { name: "home", path: "/t/default/overview" },
    { name: "dags", path: "/t/default/dags" },
    { name: "dag-runs", path: `${dag}/runs` },
    ...["grid", "graph", "gantt", "durations", "calendar", "code", "versions"].map((view) => ({
      name: `dag-${view}`,
      path: `${dag}/${view}?run=${good}`,
    })),
    {
      name: "dag-grid-selected",
      path: `/t/default/dags/invoices/grid?run=${failed}&task=book&map=2`,
    },
    { name: "trigger", path: "/t/default/dags/orders/run" },
    { name: "runs", path: "/t/default/runs" },
    { name: "run-failed", path: `/t/default/runs/${failed}` },
    { name: "run-good", path: `/t/default/runs/${good}` },
    { name: "slots", path: "/t/default/slots" },
    { name: "backfills", path: "/t/default/backfills" },
    { name: "events", path: "/t/default/events" },
    { name: "broken-files", path: "/t/default/import-errors" },
    { name: "users", path: "/t/default/admin/users" },
    { name: "tokens", path: "/t/default/admin/tokens" },
    { name: "audit", path: "/t/default/admin/audit" },
    {
      name: "search",
      path: "/t/default/dags",
      act: async (page) => {
        await page.keyboard.press("/");
        await page.getByRole("combobox").waitFor();
        await page.keyboard.type("inv");
        await page.getByRole("option", { name: "invoices" }).first().waitFor();
      },
    },
    {
      name: "keys",
      path: "/t/default/dags",
      act: (page) => page.keyboard.press("?"),
    },
    { name: "not-found", path: "/t/default/nowhere" },
  ];
}

async function take(browser: Browser, server: Server, wanted: Shot[]): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    const context = await signedIn(browser, server, { colorScheme });
    const page = await context.newPage();
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: width < 500 ? 812 : 900 });
      for (const shot of wanted) {
        if (ONLY && !ONLY.includes(shot.name)) continue;
        await page.goto(shot.path);
        await settled(page);
        await shot.act?.(page);
        await page.screenshot({ path: join(OUT, `${shot.name}-${colorScheme}-${width}.png`) });
      }
    }
    await context.close();
  }
}

/** Until the page shows what it loaded. */
async function settled(page: Page): Promise<void> {
  await page.locator("main").waitFor();
  await page.waitForFunction(() => !document.querySelector("[role=status][aria-label=Loading]"));
  await page.evaluate(() => document.fonts.ready);
}

/** Runs of every kind, so that no page is empty. */
async function fill(server: Server): Promise<void> {
  for (const dag of ["orders", "hourly_warehouse", "invoices"]) {
    for (let round = 0; round < 6; round += 1) await ran(server, dag);
  }
  await ask(server, "/dags/follow/runs", {});
  await ask(server, "/dags/orders/backfills", {
    from: "2026-10-01T00:00:00Z",
    to: "2026-10-20T00:00:00Z",
  });
}

mkdirSync(OUT, { recursive: true });
const browser = await launch();
const { HEADWAY_URL: url, HEADWAY_TOKEN: token } = process.env;
if (url && token) {
  const server = { url, token, dags: "" };
  await take(browser, server, await shots(server));
} else {
  const [server, stop] = await start();
  await take(browser, server, EMPTY);
  await fill(server);
  await take(browser, server, await shots(server));
  await stop();
}
await browser.close();
