import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, inject, test, vi } from "vitest";
import { ask, PATIENCE_MS, ran } from "./api.ts";
import { inBrowser, violations } from "./browser.ts";

/** Graphs that are large, and DAGs that have not run: their shape can be read all the same. */
const server = inject("server");
const { page } = inBrowser();

beforeAll(async () => {
  writeFileSync(join(server.dags, "large.py"), LARGE);
  const known = () => Promise.all(["flat500", "unrun"].map((dag) => ask(server, `/dags/${dag}`)));
  await vi.waitFor(known, { timeout: PATIENCE_MS, interval: 200 });
});

const box = (name: string) =>
  page()
    .locator("main")
    .getByRole("button", { name: new RegExp(`^${name} ?,`) });

test("500 tasks that nobody grouped: first a task is found, then what lies around it is drawn", async () => {
  await page().goto("/t/default/dags/flat500/graph");
  await page().getByText("500 tasks are too many to read at once").waitFor();
  expect(await violations(page())).toEqual([]);
  await page().getByRole("combobox", { name: "Find a task" }).fill("300");
  await page().keyboard.press("Enter");
  await box("x300").waitFor();
  await page()
    .getByText(/ boxes around the selected task/)
    .waitFor();
  await expect.poll(() => page().locator("[data-kind=task]").count()).toBeLessThanOrEqual(80);
  expect(new URL(page().url()).searchParams.get("task")).toBe("x300");
});

test("all 500 of them within seconds, with a map", async () => {
  await page().goto("/t/default/dags/flat500/graph");
  await page().getByRole("button", { name: "Draw them all" }).click();
  await page().getByText("quick layout").waitFor();
  await page().locator("[data-kind=task]").first().waitFor();
  await expect.poll(() => page().locator("main svg rect").count()).toBeGreaterThan(500);
  expect(new URL(page().url()).searchParams.get("only")).toBe("false");
});

test("a DAG without a run shows its shape, and how to run it", async () => {
  await page().goto("/t/default/dags/unrun/graph");
  await box("before").waitFor();
  await box("after").waitFor();
  await page().getByText("headway run unrun").waitFor();
  await page().goto("/t/default/dags/unrun/grid");
  await page().getByText("No runs yet").waitFor();
  const names = page().getByRole("rowheader");
  await expect.poll(() => names.allTextContents()).toEqual(["before", "after"]);
});

test.each(["grid", "graph", "gantt", "code"])(
  "%s: a run or a task that there is not is said, and the rest is shown",
  async (view) => {
    const run = await ran(server, "orders");
    await page().goto(`/t/default/dags/orders/${view}?run=${run}&task=nothing`);
    await page().getByText("this run has no task nothing").waitFor();
    await page().getByRole("button", { name: "Show the run" }).click();
    await page().waitForURL((url) => !url.searchParams.has("task"));
    await page().goto(`/t/default/dags/invoices/${view}?run=${run}`);
    await page().getByText("is a run of orders").waitFor();
    expect(await page().getByRole("alert").count()).toBe(0);
  },
);

const LARGE = `from headway import dag, task


def work():
    pass


@dag
def flat500():
    above, here = [], []
    for number in range(500):
        letter = "abcdefghijklmnopqrstuvwxyz"[number % 26]
        each = task(task_id=f"{letter if number != 300 else 'x'}{number}")(work)()
        for step in (0, 7):
            if above:
                above[(number + step) % 25] >> each
        here.append(each)
        if len(here) == 25:
            above, here = here, []


@dag
def unrun():
    task(task_id="before")(work)() >> task(task_id="after")(work)()


flat500()
unrun()
`;
