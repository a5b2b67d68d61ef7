import { beforeAll, beforeEach, expect, inject, test } from "vitest";
import { ask, put, ran } from "./api.ts";
import { inBrowser, violationsInBoth } from "./browser.ts";
import { faults, shiftsOf, watchShifts } from "./layout.ts";

const PAGES: [path: string, shows: RegExp][] = [
  ["overview", /DAGs? (is|are) failing/],
  ["dags", /hourly_warehouse/],
  ["dags/invoices/runs", /failed/],
  ["dags/orders/run", /country/],
  ["runs", /invoices/],
  ["logs", /Enter part of an error/],
  ["logs?q=customer&dag=invoices", /12 invoices without a/],
  ["logs?q=nobody prints this&state=failed", /No matches for/],
  ["backfills", /of 3/],
  ["events", /succeed/],
  ["slots", /of 128/],
  ["timeline", /hourly_warehouse/],
  ["timeline?span=7d", /invoices/],
  ["import-errors", /shedule/],
  ["assets", /No assets yet|Updated by/],
  ["dependencies", /No DAG waits for another|Is awaited by/],
  ["admin/users", /admin/],
  ["admin/connections", /warehouse_db/],
  ["admin/variables", /raw-data/],
  ["admin/webhooks", /signed requests/],
  ["admin/outbound", /signed request/],
  ["admin/teams", /default/],
  ["admin/tokens", /New token/],
  ["admin/logs", /After a run ends/],
  ["admin/roles", /built-in/],
  ["admin/links", /Anyone who has a link/],
  ["admin/grants", /A grant lets another team/],
  ["admin/audit", /none altered/],
  ["nowhere", /Page not found/],
];
const VIEWS = ["grid", "graph", "gantt", "calendar", "durations", "code", "versions"];

let failed = "";
const server = inject("server");
const { page } = inBrowser();

// Of what moves by itself while a page is loaded, as browsers measure it; 0.1 is called good. The pages most used: shifts.test.ts
const SHIFTS_MAX = 0.05;

beforeAll(async () => {
  await watchShifts(page());
  failed = await ran(server, "invoices");
  await ran(server, "orders");
  await put(server, "/connections/warehouse_db", { conn_type: "postgres", host: "db" });
  await put(server, "/variables/bucket", { value: "raw-data" });
  await ask(server, "/dags/orders/backfills", {
    from: "2026-10-01",
    to: "2026-10-03",
  });
});

beforeEach(async () => await page().setViewportSize({ width: 1440, height: 900 }));

test.each(PAGES)("%s shows what is there, for everybody", async (path, shows) => {
  await page().goto(`/t/default/${path}`);
  await page().locator("main").getByText(shows).first().waitFor();
  const shifts = await shiftsOf(page());
  expect(shifts.sum, shifts.of.join("\n")).toBeLessThan(SHIFTS_MAX);
  await everybodyReads();
});

test.each([
  ["diagnosis", "tasks"],
  ["tasks", "diagnosis"],
])("a %s that comes late moves nothing on the page of a run", async (late, early) => {
  let come = () => {};
  const gate = new Promise<void>((resolve) => {
    come = resolve;
  });
  const address = `**/api/v1/runs/${failed}/${late}*`;
  await page().route(address, async (route) => {
    const answer = await route.fetch();
    await gate;
    await route.fulfill({ response: answer });
  });
  const first = page().waitForResponse((response) => response.url().includes(`/${early}`));
  await page().goto(`/t/default/runs/${failed}`);
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

test.each(VIEWS)("the %s of a DAG can be seen whole, with a run beside it", async (view) => {
  await page().goto(`/t/default/dags/invoices/${view}?run=${failed}`);
  await page().locator("aside").getByText("Open the run").waitFor();
  await everybodyReads();
});

const RUN = () => `runs/${failed}`;
const OPENED: [what: string, path: () => string, open: () => Promise<unknown>, shows: RegExp][] = [
  ["the search", () => "dags", () => page().keyboard.press("/"), /^Slots$/],
  ["the keys", () => "dags", () => page().keyboard.press("?"), /Undo the last action/],
  ["your menu", () => "dags", () => press(/^You/), /Sign out/],
  ["a filter", () => "runs", () => press("State"), /cancelled/],
  ["a new backfill", () => "backfills", () => press("New backfill"), /Preview runs/],
  ["a new pool", () => "slots", () => press("New pool"), /Create pool/],
  ["a new user", () => "admin/users", () => press("New user"), /The name they sign in with/],
  ["a new member", () => "admin/users", () => press("Add member"), /Name of an existing user/],
  ["a new connection", () => "admin/connections", () => press("New connection"), /Extras/],
  ["a new variable", () => "admin/variables", () => press("New variable"), /Shown or secret/],
  ["a new team", () => "admin/teams", () => press("New team"), /Create team/],
  ["a new token", () => "admin/tokens", () => press("New token"), /Create token/],
  ["a retry", RUN, () => press("Retry failed"), /will run again/],
  ["a clear", RUN, () => press("Clear…"), /will run again/],
  ["a note", RUN, () => press("Note"), /Save note/],
  ["a mark of the run", RUN, () => press("Mark…"), /will be marked as success/],
  ["a mark", () => `${RUN()}?task=close`, () => press("Mark success"), /will be marked/],
  ["instances", () => `${RUN()}?task=book`, async () => {}, /All 4/],
  ["an instance", () => `${RUN()}?task=book&map=2`, async () => {}, /All instances/],
  [
    "a run beside its grid",
    () => `dags/invoices/grid?run=${failed}`,
    async () => {},
    /Open the run/,
  ],
];

test.each(OPENED)("%s that is open is for everybody too", async (_what, path, open, shows) => {
  await page().goto(`/t/default/${path()}`);
  await page().locator("main h1").waitFor();
  await expect.poll(() => page().locator("[aria-label=Loading]").count()).toBe(0);
  await open();
  const layer = page().locator("dialog[open], [role=menu], aside");
  await layer.getByText(shows).first().waitFor();
  await everybodyReads();
  for (let left = await layer.count(); left > 0; left -= 1) {
    await page().keyboard.press("Escape"); // what is uppermost goes first
    await expect.poll(() => layer.count()).toBe(left - 1);
  }
});

const press = (name: string | RegExp) => page().getByRole("button", { name }).first().click();

/**
 * On phones, on screens of 1,024 and 1,440 px, and at twice their size: all can be seen and nothing lies over another.
 * Nothing that axe finds, light and dark, on the narrowest and the widest.
 */
async function everybodyReads(): Promise<void> {
  for (const [width, height] of [
    [320, 640],
    [375, 900],
    [512, 384],
    [720, 450],
    [1024, 768],
    [1440, 900],
  ] as const) {
    await page().setViewportSize({ width, height });
    await expect.poll(async () => [width, await faults(page())]).toEqual([width, []]);
    if (width === 375 || width === 1440)
      expect([width, await violationsInBoth(page())]).toEqual([width, []]);
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
