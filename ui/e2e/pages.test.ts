import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, inject, test } from "vitest";
import { PATIENCE_MS } from "./api.ts";
import { launch, violationsInBoth } from "./browser.ts";
import { fill, type Ids, idsOf } from "./gallery.ts";
import { faults, shiftsOf, watchShifts } from "./layout.ts";
import { type Lookers, lookAt, lookers } from "./looking.ts";
import { DIALOGS } from "./opened.ts";
import { start } from "./server.ts";
import { NEW, PAGES, type Shot } from "./shots.ts";
import { TROUBLES } from "./troubles.ts";

/** Every page, and all that opens on it: the same of which `make screenshots` makes pictures. */
const server = inject("server");
const FILLING_MS = 900_000;

// Of what moves by itself while a page is loaded, as browsers measure it; 0.1 is called good. The pages most used: shifts.test.ts
const SHIFTS_MAX = 0.05;

// The menu of times has fields for the first and the last day, for which ARIA has no place in a menu; Tab reaches them.
const DAYS_IN_A_MENU = /aria-required-children: #radix.*not allowed: input/s;

let browser: Browser;
let ids: Ids;
let full: Lookers;
let empty: Lookers;
let stop: () => Promise<void>;
const complaints: string[] = [];
const page = () => full.admin;

beforeAll(async () => {
  browser = await launch();
  const [unused, end] = await start({ empty: true });
  stop = end;
  empty = await looking(await lookers(browser, unused, {}, "admin"));
  await fill(server);
  ids = await idsOf(server);
  full = await looking(await lookers(browser, server));
}, FILLING_MS);

afterAll(async () => {
  await browser?.close();
  await stop?.();
});

async function looking(pages: Lookers): Promise<Lookers> {
  for (const each of Object.values(pages)) {
    each.context().setDefaultTimeout(PATIENCE_MS);
    await watchShifts(each);
    each.on("pageerror", (error) => complaints.push(error.message));
    each.on("console", (message) => {
      const { url } = message.location(); // of a request that was refused: which
      if (message.type() === "error") complaints.push(`${message.text()} ${url}`);
    });
  }
  return pages;
}

beforeEach(async () => {
  complaints.length = 0;
  for (const each of [...Object.values(full), ...Object.values(empty)])
    await each.setViewportSize({ width: 1440, height: 900 });
});

test.each(named(PAGES))("%s shows what is there, for everybody", async (_name, shot) => {
  await everybodyReads(await seen(full, shot));
});

test.each(named(NEW))(
  "%s of a server that was just started is for everybody",
  async (_name, shot) => {
    await everybodyReads(await seen(empty, shot));
  },
);

test.each(named(DIALOGS))("%s, opened, is for everybody too", async (_name, shot) => {
  await everybodyReads(await seen(full, shot));
});

test.each(named(TROUBLES))("%s says for everybody what is wrong", async (_name, shot) => {
  await everybodyReads(await seen(full, shot));
});

function named(shots: readonly Shot[]): [name: string, shot: Shot][] {
  return shots.map((shot) => [shot.name, shot]);
}

/** Nothing moves while it is loaded, and it complains of nothing but what is refused. */
async function seen(pages: Lookers, shot: Shot): Promise<Page> {
  const found = await lookAt(pages, shot, ids);
  if (!shot.act && !shot.trouble) {
    const shifts = await shiftsOf(found);
    expect(shifts.sum, shifts.of.join("\n")).toBeLessThan(SHIFTS_MAX);
  }
  if (!shot.isRefused) expect(complaints).toEqual([]);
  return found;
}

test.each([
  ["diagnosis", "tasks"],
  ["tasks", "diagnosis"],
])("a %s that comes late moves nothing on the page of a run", async (late, early) => {
  let come = () => {};
  const gate = new Promise<void>((resolve) => {
    come = resolve;
  });
  const address = `**/api/v1/runs/${ids.failed}/${late}*`;
  await page().unrouteAll({ behavior: "ignoreErrors" });
  await page().route(address, async (route) => {
    const answer = await route.fetch();
    await gate;
    await route.fulfill({ response: answer });
  });
  const first = page().waitForResponse((response) => response.url().includes(`/${early}`));
  await page().goto(`/t/default/runs/${ids.failed}`);
  await first;
  await page().locator("main h1").waitFor();
  await page().evaluate(
    () => new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted))),
  );
  come();
  await page().locator("main").getByText("About this run").waitFor();
  await page().locator("main").getByText("12 invoices without a").first().waitFor();
  const shifts = await shiftsOf(page());
  await page().unroute(address);
  expect(shifts.sum, shifts.of.join("\n")).toBeLessThan(SHIFTS_MAX);
});

/**
 * On phones, on screens of 1,024 and 1,440 px, and at twice their size: all can be seen and nothing lies over another.
 * Nothing that axe finds, light and dark, on the narrowest and the widest.
 */
async function everybodyReads(page: Page): Promise<void> {
  for (const [width, height] of [
    [320, 640],
    [375, 900],
    [512, 384],
    [720, 450],
    [1024, 768],
    [1440, 900],
  ] as const) {
    await page.setViewportSize({ width, height });
    await expect.poll(async () => [width, await faults(page)]).toEqual([width, []]);
    if (width !== 375 && width !== 1440) continue;
    const found = await violationsInBoth(page);
    expect([width, found.filter((each) => !DAYS_IN_A_MENU.test(each))]).toEqual([width, []]);
  }
}

test("a phone has the first pages at its foot, and the others behind them", async () => {
  await page().setViewportSize({ width: 375, height: 812 });
  await page().goto("/t/default/overview");
  await page().getByRole("button", { name: "More" }).click();
  await page().getByRole("menuitem", { name: "Events" }).click();
  await page().waitForURL(/\/events/);
  await page().setViewportSize({ width: 1440, height: 900 });
});
