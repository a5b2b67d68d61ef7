import { beforeAll, beforeEach, expect, inject, test } from "vitest";
import { ran } from "./api.ts";
import { inBrowser } from "./browser.ts";
import { shiftsOf, watchShifts } from "./layout.ts";

// Of what moves by itself while a page is loaded, as browsers measure it; 0.1 is called good. At rest all are below 0.005;
// on a busy machine answers come one by one, and a line or two moves.
const SHIFTS_MAX = 0.02;
const VIEWS = ["grid", "graph", "gantt", "runs", "calendar", "durations", "code", "versions"];

const server = inject("server");
const { page } = inBrowser();
let failed = "";
let again = "";
let good = "";

beforeAll(async () => {
  await watchShifts(page());
  failed = await ran(server, "invoices");
  again = await ran(server, "invoices");
  good = await ran(server, "orders");
});

const PAGES: [what: string, path: () => string][] = [
  ["home", () => "overview"],
  ["the DAGs", () => "dags"],
  ["the runs", () => "runs"],
  ["the slots", () => "slots"],
  ...VIEWS.map((view): [string, () => string] => [
    `the ${view} of a DAG`,
    () => `dags/invoices/${view}`,
  ]),
  ["the grid with a run", () => `dags/invoices/grid?run=${failed}`],
  ["the grid with a task", () => `dags/invoices/grid?run=${failed}&task=book&map=2`],
  ["a failed run", () => `runs/${failed}`],
  ["a run with a task", () => `runs/${failed}?task=book&map=2`],
  ["a run with the instances of a task", () => `runs/${failed}?task=book&state=all`],
  ["a log", () => `runs/${failed}/log?task=book&map=2`],
  ["a log that is long", () => `runs/${good}/log?task=extract`],
  ["a good run", () => `runs/${good}`],
  ["two runs", () => `runs/${failed}/diff?with=${again}`],
];

for (const [width, height] of [
  [1440, 900],
  [390, 812],
] as const) {
  beforeEach(async () => await page().setViewportSize({ width: 1440, height: 900 }));

  test.each(PAGES)(`${width} px: nothing moves while %s is loaded`, async (_what, path) => {
    await page().setViewportSize({ width, height });
    await page().goto("about:blank");
    await page().goto(`/t/default/${path()}`);
    await page().locator("main h1").waitFor();
    await page().getByText("live", { exact: true }).waitFor({ state: "attached" });
    await page().waitForFunction(() => {
      const asked = performance.getEntriesByType("resource");
      const quiet = performance.now() - Math.max(0, ...asked.map((each) => each.startTime)) > 500;
      return quiet && !document.querySelector("[role=status][aria-label=Loading]");
    });
    const shifts = await shiftsOf(page());
    expect(shifts.sum, shifts.of.join("\n")).toBeLessThan(SHIFTS_MAX);
  });
}

// Without a machine that is slow by chance: each answer once comes after all others.
test.each([
  ["a log", () => `runs/${failed}/log?task=book&map=2`],
  ["a run with a task", () => `runs/${failed}?task=book&map=2`],
  ["a failed run", () => `runs/${failed}`],
  ["the grid with a task", () => `dags/invoices/grid?run=${failed}&task=book&map=2`],
] as const)("390 px: whichever answer comes last, nothing moves on %s", async (_what, path) => {
  await page().setViewportSize({ width: 390, height: 812 });
  const address = `/t/default/${path()}`;
  const found: Record<string, number> = {};
  for (const last of await answersOf(address)) {
    let come = () => {};
    const gate = new Promise<void>((resolve) => {
      come = resolve;
    });
    const held = (url: URL) => url.pathname === last;
    await page().route(held, async (route) => {
      await gate;
      await route.continue();
    });
    await open(address);
    await quiet();
    come();
    await quiet();
    const { sum, of } = await shiftsOf(page());
    if (sum >= SHIFTS_MAX) found[`${last}: ${of.join("; ")}`] = sum;
    await page().unroute(held);
  }
  expect(found).toEqual({});
});

async function open(address: string): Promise<void> {
  await page().goto("about:blank");
  await page().goto(address);
}

/** No request was begun for a while; what is held back counts as begun. */
async function quiet(): Promise<void> {
  await page().waitForLoadState("load");
  let last = -1;
  for (let now = 0; now !== last; ) {
    last = now;
    await page().evaluate(() => new Promise((later) => setTimeout(later, 400)));
    now = await page().evaluate(() => performance.getEntriesByType("resource").length);
  }
}

/** The answers of the API of which a page is made, without those that never end. */
async function answersOf(address: string): Promise<Set<string>> {
  const paths = new Set<string>();
  const note = (request: { url: () => string }) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith("/api/") && !/\/(stream|session)\b/.test(pathname)) paths.add(pathname);
  };
  page().on("request", note);
  await open(address);
  await quiet();
  page().off("request", note);
  return paths;
}
