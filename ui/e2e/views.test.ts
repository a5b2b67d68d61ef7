import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, inject, test, vi } from "vitest";
import { ask, PATIENCE_MS, ran } from "./api.ts";
import { inBrowser, violationsInBoth, widthOf } from "./browser.ts";

const server = inject("server");
const { page } = inBrowser();
const VIEWS = ["grid", "graph", "gantt", "calendar", "durations", "code", "versions"] as const;
let first = "";

type View = (typeof VIEWS)[number];

/** Where there is the most to see: of one DAG what failed, of the other what changed. */
const pathOf = (view: View) =>
  `/t/default/dags/${["durations", "code", "versions"].includes(view) ? "revised" : "invoices"}/${view}`;

beforeAll(async () => {
  await ran(server, "invoices");
  await revise(1, "@task", "slow");
  first = await ran(server, "revised");
  await revise(2, "@task(retries=3)", "quick");
});

/** Write the DAG's file, and wait until it is known as that version. */
async function revise(version: number, decorator: string, mode: string): Promise<void> {
  const source = `from headway import dag, task\n
${decorator}
def measure(mode):
    return mode\n
@dag
def revised():
    measure("${mode}")\n
revised()
`;
  writeFileSync(join(server.dags, "revised.py"), source);
  await vi.waitFor(
    async () => expect(await ask(server, "/dags/revised")).toMatchObject({ version }),
    { timeout: PATIENCE_MS, interval: 100 },
  );
}

test.each(VIEWS)("%s: nothing that some cannot read, in light and dark", async (view) => {
  await page().goto(pathOf(view));
  await shown(view);
  expect(await violationsInBoth(page())).toEqual([]);
});

test.each(VIEWS)("%s: on a phone nothing is wider than the screen", async (view) => {
  await page().setViewportSize({ width: 375, height: 812 });
  await page().goto(pathOf(view));
  await shown(view);
  await expect.poll(() => widthOf(page())).toBe(375);
  await page().setViewportSize({ width: 1440, height: 900 });
});

test("from the first failure in the grid, by keyboard, to the same task in graph and Gantt", async () => {
  await page().goto("/t/default/dags/invoices/grid");
  await shown("grid");
  await page().keyboard.press("g");
  const cell = page().getByRole("gridcell");
  await expect.poll(() => cell.textContent()).toMatch(/failed/);
  const task = (await cell.textContent())?.split(",")[0] ?? "";
  await page().keyboard.press("Enter");
  await page().waitForURL((url) => url.searchParams.get("task") === task);
  await page().getByRole("link", { name: "Graph", exact: true }).click();
  await page()
    .getByRole("button", { pressed: true, name: new RegExp(`^${task}\\b`) })
    .first()
    .waitFor();
  await page().getByRole("link", { name: "Gantt", exact: true }).click();
  await page()
    .getByRole("button", { pressed: true, name: new RegExp(`^${task}\\b`) })
    .first()
    .waitFor();
});

test("what changed between two versions, and the source as an older run got it", async () => {
  await page().goto(pathOf("versions"));
  const changes = page().locator("main").getByRole("listitem");
  await changes.getByText("retries from 0 to 3").waitFor();
  const differences = page().getByRole("region", { name: "Differences" });
  const added = differences.locator("[data-kind=added]");
  await expect
    .poll(() => added.allTextContents())
    .toEqual(["3+@task(retries=3)", '9+    measure("quick")']);
  await page().getByRole("link", { name: "Source of version 2" }).click();
  await page().getByRole("region", { name: "revised.py" }).getByText('"quick"').waitFor();
  await page().goto(`${pathOf("code")}?run=${first}`);
  await page().getByRole("region", { name: "revised.py" }).getByText('"slow"').waitFor();
});

test("a change of the code that leaves the graph alike is listed, with its difference", async () => {
  const bundle = async () =>
    (await ask<{ bundle_version: string }>(server, "/dags/revised")).bundle_version;
  const before = await bundle();
  const file = join(server.dags, "revised.py");
  writeFileSync(file, readFileSync(file, "utf8").replace("return mode", "return mode.upper()"));
  await expect.poll(bundle, { timeout: PATIENCE_MS }).not.toBe(before);
  await page().goto(pathOf("versions"));
  const listed = page().getByRole("list", { name: "Versions" }).getByRole("listitem");
  await expect.poll(() => listed.getByText("Version 2").count()).toBe(2);
  await page().getByText("the same tasks, schedule and parameters").waitFor();
  const added = page().getByRole("region", { name: "Differences" }).locator("[data-kind=added]");
  await expect.poll(() => added.allTextContents()).toEqual(["5+    return mode.upper()"]);
});

/** The view has come, with what it is there to show. */
async function shown(view: View): Promise<void> {
  const signs = {
    grid: page().getByRole("treegrid").locator("canvas"),
    graph: page()
      .locator("main")
      .getByRole("button", { name: /, (success|failed)/ }),
    gantt: page()
      .getByRole("group", { name: /task instances by time/ })
      .getByRole("button"),
    calendar: page().getByRole("button", { name: /: \d+ runs?/ }),
    durations: page().getByRole("img", { name: /^Median duration by day, 1 day/ }),
    code: page().getByRole("region", { name: "revised.py" }).getByText("measure"),
    versions: page().getByRole("region", { name: "Differences" }).getByText("slow"),
  };
  await signs[view].first().waitFor();
}
