/**
 * Every page, light and dark, in three widths, full and empty: `make screenshots`. With HEADWAY_URL
 * and HEADWAY_TOKEN it shows a server that runs already; ONLY chooses pages, WIDTHS widths, OUT the
 * folder.
 */
import { cpSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { ask, put, ran } from "./api.ts";
import { launch, signedIn } from "./browser.ts";
import { type Server, start } from "./server.ts";
import { EMPTY, full, type Shot } from "./shots.ts";

const DAGS = fileURLToPath(new URL("./dags", import.meta.url));
const OUT = process.env.OUT ?? fileURLToPath(new URL("../../out/screenshots", import.meta.url));
const WIDTHS = (process.env.WIDTHS ?? "1440,1024,390").split(",").map(Number);
const LOADED = readdirSync(DAGS).length - 1; // one of them is broken
const ONLY = process.env.ONLY?.split(",");

async function take(browser: Browser, server: Server, shots: Shot[]): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    const context = await signedIn(browser, server, { colorScheme });
    const stranger = await browser.newContext({ baseURL: server.url, colorScheme });
    const [known, unknown] = [await context.newPage(), await stranger.newPage()];
    for (const width of WIDTHS) {
      for (const shot of shots.filter(({ name }) => !ONLY || ONLY.includes(name))) {
        const page = shot.stranger ? unknown : known;
        await page.setViewportSize({ width, height: width < 500 ? 812 : 900 });
        await page.goto("about:blank"); // an address that differs in its hash alone is no new page
        await page.goto(shot.path);
        await settled(page);
        await shot.act?.(page);
        await settled(page);
        await page.screenshot({ path: join(OUT, `${shot.name}-${colorScheme}-${width}.png`) });
      }
    }
    await context.close();
    await stranger.close();
  }
}

/** Until the page shows what it loaded: nothing is on its way, but for the stream, which never ends. */
async function settled(page: Page): Promise<void> {
  await page.locator("main").waitFor();
  await page.evaluate(() => document.fonts.ready);
  await page.waitForFunction(() => {
    const asked = performance.getEntriesByType("resource");
    const quiet = performance.now() - Math.max(0, ...asked.map((each) => each.startTime)) > 400;
    return quiet && !document.querySelector("[role=status][aria-label=Loading]");
  });
}

/** Two teams, and what the pages of a team show of people, rights, limits and grants. */
async function people(server: Server): Promise<void> {
  await ask(server, "/teams", { name: "marketing", title: "Marketing and sales", slots: 2 });
  const limits = { open_runs: 1_000, requests_per_s: 50, log_bytes_per_minute: 50_000_000 };
  await ask(server, "/teams/default", { limits }, "PATCH");
  await ask(server, "/roles", {
    name: "triage",
    verbs: ["run.read", "run.clear", "log.read"],
    description: "Looks at what failed at night, and runs it again.",
  });
  for (const [name, role] of [
    ["ann", "admin"],
    ["bob.with-a-long-name@example.org", "triage"],
    ["carol", "viewer"],
  ]) {
    await ask(server, "/users", { name, role, display_name: `${name} of the night shift` });
  }
  await ask(server, "/service-accounts", { name: "ci", role: "operator" });
  await ask(server, "/tokens", { name: "laptop", role: "viewer" });
  await ask(server, "/grants", {
    grantee: "marketing",
    name: "orders",
    kind: "see_runs",
    note: "for the weekly report",
  });
  await ask(server, "/grants/requests", {
    owner: "marketing",
    name: "campaigns_of_the_whole_year",
    kind: "start",
  });
  const { items } = await ask<{ items: { run_id: string }[] }>(server, "/runs?limit=2");
  for (const { run_id } of items) await ask(server, `/runs/${run_id}/links`, { hours: 24 });
}

/** Runs of every kind, so that no page is empty. */
async function fill(server: Server): Promise<void> {
  const known = async () => (await ask<{ items: unknown[] }>(server, "/dags")).items.length;
  while ((await known()) < LOADED) await setTimeout(200);
  for (const dag of ["orders", "hourly_warehouse", "invoices"]) {
    for (let round = 0; round < 6; round += 1) await ran(server, dag);
  }
  await ask(server, "/dags/follow/runs", { params: { lines: 20_000 } });
  await put(server, "/connections/warehouse", {
    conn_type: "postgres",
    host: "db.internal",
    port: 5432,
    schema: "sales",
    login: "etl",
    password: "secret",
  });
  await put(server, "/connections/lake", {
    conn_type: "aws",
    login: "AKIA1234",
    password: "secret",
    extra: { region_name: "eu-west-1" },
    dags: ["hourly_warehouse", "orders"],
  });
  await put(server, "/variables/bucket", { value: "raw-data" });
  await put(server, "/variables/smtp_password", { value: "secret" });
  await people(server);
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
  await take(browser, server, [...(await full(server)), ...EMPTY.filter((shot) => shot.stranger)]);
} else {
  const [server, stop] = await start({ empty: true });
  try {
    await take(browser, server, EMPTY);
    cpSync(DAGS, server.dags, { recursive: true });
    await fill(server);
    await take(browser, server, await full(server));
  } finally {
    await stop();
  }
}
await browser.close();
