import { beforeAll, beforeEach, expect, inject, test } from "vitest";
import { ended, PATIENCE_MS } from "./api.ts";
import { inBrowser } from "./browser.ts";
import { begin, gates, open } from "./gate.ts";

/** What the views of a DAG show of a run that goes on, and what they ask the server meanwhile. */
const server = inject("server");
const { page } = inBrowser();
let asked: string[] = [];

beforeAll(async () => {
  await gates(server);
  page().on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith("/api/v1/")) asked.push(pathname.slice("/api/v1".length));
  });
});

beforeEach(() => {
  asked = [];
});

/** A view, live, that will notice if it is loaded again. */
async function view(path: string): Promise<void> {
  await page().goto(`/t/default/dags/${path}`);
  await page().getByText("live", { exact: true }).waitFor();
  await page().evaluate(() => Object.assign(window, { first: true }));
}

/** Of what was asked since, what concerns the runs of the DAG; and the page is still the same one. */
async function reads(): Promise<string[]> {
  expect(await page().evaluate(() => "first" in window)).toBe(true);
  return asked.filter((path) => /\/grid$|^\/runs\/|\/tasks$|\/gantt$/.test(path));
}

/** Of these, what the view itself shows: not which run that is, and which ones are beside it. */
async function drawn(): Promise<string[]> {
  return (await reads()).filter((path) => !/^\/runs\/[^/]+(\/adjacent)?$/.test(path));
}

/** Move the keys to a task of the newest run; the answer is what the grid says of that cell. */
async function cell(task: string): Promise<() => Promise<string | null>> {
  await page().getByRole("rowheader").filter({ hasText: task }).first().waitFor();
  const names = await page().getByRole("rowheader").allTextContents();
  await page().getByRole("treegrid").focus();
  for (const key of ["PageUp", "PageUp", "End"]) await page().keyboard.press(key);
  for (let row = -1; row < names.findIndex((name) => name.startsWith(task)); row += 1)
    await page().keyboard.press("ArrowDown");
  const found = page().getByRole("gridcell");
  await expect.poll(() => found.textContent()).toContain(`${task}, run of`);
  return () => found.textContent();
}

test("grid: a run that goes on is shown by deltas alone", async () => {
  await begin(server, "chained", "grid");
  await view("chained/grid");
  const first = await cell("first");
  await expect.poll(first).toContain("running");
  await quiet();
  asked = [];
  open(server, "grid", "first");
  await expect.poll(first).toContain("success");
  const third = await cell("third");
  open(server, "grid", "second");
  await expect.poll(third).toContain("success");
  await newest("success");
  expect(await drawn()).toEqual([]);
});

test("grid: of a new run, and of what is mapped, only that run is read", async () => {
  await begin(server, "mapped", "earlier");
  await view("mapped/grid");
  await newest("running");
  await quiet();
  asked = [];
  const run = await begin(server, "mapped", "grid");
  const columns = () => page().getByRole("columnheader").count();
  await expect.poll(columns).toBe(3); // the corner, and two runs
  open(server, "grid", "first");
  const each = await cell("each");
  await expect.poll(each).toContain("3 success");
  await newest("success");
  expect(new Set(await drawn())).toEqual(new Set([`/runs/${run}/tasks`]));
});

test("graph: by deltas while the run goes on, read once more when it has ended", async () => {
  const run = await begin(server, "chained", "graph");
  await view("chained/graph");
  await box("first", "running");
  await quiet();
  asked = [];
  open(server, "graph", "first");
  await box("first", "success");
  await box("second", "running");
  expect(await reads()).toEqual([]);
  open(server, "graph", "second");
  await box("third", "success");
  await expect.poll(drawn).toEqual([`/runs/${run}/tasks`]);
});

test("a run that is selected: its tasks follow the deltas, and are read when it has ended", async () => {
  const run = await begin(server, "chained", "selected");
  await view(`chained/graph?run=${run}`);
  await box("first", "running");
  await page().getByRole("complementary").getByText("Open the run").waitFor();
  const tasks = async () => (await reads()).filter((path) => path.endsWith("/tasks"));
  const others = async () => (await reads()).filter((path) => path === `/runs/${run}`).length;
  await quiet();
  asked = [];
  open(server, "selected", "first");
  await box("first", "success");
  await box("second", "running");
  await expect.poll(others).toBeGreaterThan(0); // what is read anew has been
  expect(await tasks()).toEqual([]);
  open(server, "selected", "second");
  await box("third", "success");
  await expect.poll(tasks).toContain(`/runs/${run}/tasks`);
});

test("graph: without a run in the address, the newest comes by itself", async () => {
  await view("chained/graph");
  await box("third", "success");
  await quiet();
  asked = [];
  const run = await begin(server, "chained", "newer");
  await box("first", "running");
  expect(await drawn()).toEqual([`/runs/${run}/tasks`]);
});

test("Gantt: only the chart of the run that changed is read again", async () => {
  const run = await begin(server, "chained", "gantt");
  await view("chained/gantt");
  const bar = (name: RegExp) => page().getByRole("button", { name }).waitFor();
  await bar(/^first, running/);
  await quiet();
  asked = [];
  open(server, "gantt", "first");
  await bar(/^first, success/);
  open(server, "gantt", "second");
  await bar(/^third, success/);
  expect(new Set(await drawn())).toEqual(new Set([`/runs/${run}/gantt`]));
});

test("a tab in the background holds no stream, and catches up when it is looked at again", async () => {
  const run = await begin(server, "chained", "hidden");
  await view("chained/grid");
  await newest("running");
  const first = await cell("first");
  const closed = page().waitForEvent("requestfailed", (request) =>
    request.url().includes("/stream"),
  );
  await look(false);
  await closed;
  open(server, "hidden", "first");
  open(server, "hidden", "second");
  expect(await ended(server, run)).toBe("success");
  expect(await first()).toContain("running");
  await quiet();
  asked = [];
  await look(true);
  await newest("success");
  await expect.poll(first).toContain("success");
  expect(await drawn()).toEqual([]);
});

/** As a browser does when another tab is chosen; a headless one shows all its tabs. */
async function look(shown: boolean): Promise<void> {
  await page().evaluate((hidden) => {
    Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, !shown);
}

/** Until what followed the start of the run has been read. */
async function quiet(): Promise<void> {
  let before = -1;
  await expect
    .poll(
      () => {
        const still = before === asked.length;
        before = asked.length;
        return still;
      },
      { timeout: PATIENCE_MS, interval: 1_500 },
    )
    .toBe(true);
}

/** The task's box in the graph says so. */
async function box(task: string, state: string): Promise<void> {
  const name = new RegExp(`^${task} ?, ${state}`);
  await page().locator("main").getByRole("button", { name }).waitFor();
}

/** The bar above the newest run says how the run is. */
async function newest(state: string): Promise<void> {
  await expect
    .poll(() => page().getByRole("columnheader").last().getAttribute("aria-label"), {
      timeout: PATIENCE_MS,
    })
    .toContain(`, ${state},`);
}
