import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, inject, test, vi } from "vitest";
import { ask, PATIENCE_MS, ran } from "./api.ts";
import { inBrowser, violationsInBoth } from "./browser.ts";

const server = inject("server");
const { page } = inBrowser();
const MANY = 40;
const runs: string[] = [];

const SOURCE = `from headway import dag, task\n
for number in range(${MANY}):
    @dag(dag_id=f"listed_{number:02}", owner=f"owner_{number % 2}", tags=["listed"])
    def define():
        @task
        def only():
            pass\n
        only()\n
    define()
`;

beforeAll(async () => {
  writeFileSync(join(server.dags, "listed.py"), SOURCE);
  await vi.waitFor(() => ask(server, `/dags/listed_${MANY - 1}`), {
    timeout: PATIENCE_MS,
    interval: 200,
  });
  for (let turn = 0; turn < 3; turn += 1) runs.push(await ran(server, "listed_07"));
});

const rows = () => page().getByRole("table").getByRole("row");
const first = () => rows().nth(1);
const head = (name: string) => page().getByRole("columnheader", { name, exact: true });

test("runs are counted by state, and each count shows these only", async () => {
  await page().goto("/t/default/dags/listed_07/runs");
  const states = page().getByRole("group", { name: "State" });
  await states.getByRole("button", { name: `All ${runs.length}` }).waitFor();
  await states.getByRole("button", { name: `success ${runs.length}` }).click();
  await page().waitForURL(/only=success/);
  await states.getByRole("button", { name: `All ${runs.length}` }).waitFor();
  await page().goto("/t/default/runs?q=listed_07&only=failed");
  await page().getByText("No runs match these filters").waitFor();
  await states.getByRole("button", { name: `success ${runs.length}` }).click();
  await expect.poll(() => rows().count()).toBe(runs.length + 1);
  expect(await violationsInBoth(page())).toEqual([]);
});

test("DAGs are counted, narrowed and sorted, and the address keeps it", async () => {
  await page().goto("/t/default/dags?tag=listed");
  await page()
    .getByRole("button", { name: `All ${MANY}` })
    .waitFor();
  await page()
    .getByRole("button", { name: `never ran ${MANY - 1}` })
    .click();
  await page().waitForURL(/state=never/);
  await first().getByText("listed_00").waitFor();
  await head("DAG").getByRole("button").click();
  await first()
    .getByText(`listed_${MANY - 1}`)
    .waitFor();
  await page().reload();
  await first()
    .getByText(`listed_${MANY - 1}`)
    .waitFor();
  expect(await head("DAG").getAttribute("aria-sort")).toBe("descending");
  await page().getByRole("button", { name: "All", exact: false }).first().click();
  await head("Started").getByRole("button").click();
  await first().getByText("listed_07").waitFor();
  expect(await violationsInBoth(page())).toEqual([]);
});

test("the heads of a list stay when it is scrolled", async () => {
  await page().goto("/t/default/dags?tag=listed");
  const list = page().getByRole("region", { name: "DAGs" });
  await list.getByText("listed_05").waitFor();
  const before = await head("DAG").boundingBox();
  await list.evaluate((view) => view.scrollTo({ top: view.scrollHeight }));
  await list.getByText(`listed_${MANY - 1}`).waitFor();
  expect((await head("DAG").boundingBox())?.y).toBe(before?.y);
});

test("many DAGs are paused at once, exactly those of the list, and the way back is offered", async () => {
  await page().goto("/t/default/dags?tag=listed");
  await page().getByLabel("Select DAG listed_03").check();
  await page().getByLabel("Select DAG listed_04").check();
  await page().getByRole("button", { name: "Pause…" }).click();
  const dialog = page().getByRole("dialog", { name: "Pause 2 DAGs" });
  await dialog.getByText("listed_03").waitFor();
  expect(await violationsInBoth(page())).toEqual([]);
  await dialog.getByRole("button", { name: "Pause 2 DAGs" }).click();
  await page().getByText("Paused 2 DAGs").waitFor();
  const paused = async () =>
    (await ask<{ items: { dag_id: string }[] }>(server, "/dags?paused=true&tag=listed")).items.map(
      ({ dag_id }) => dag_id,
    );
  expect(await paused()).toEqual(["listed_03", "listed_04"]);
  await page().keyboard.press("z");
  await page().getByText("Resumed 2 DAGs").waitFor();
  expect(await paused()).toEqual([]);
  await page().getByLabel("Select all DAGs of the list").check();
  await page().getByText(`${MANY} DAGs selected`).waitFor();
  await page().getByRole("button", { name: "Clear the selection" }).click();
});

test("runs are narrowed by time and sorted, in the list of all and in that of a DAG", async () => {
  for (const path of ["runs?dag=listed_07", "dags/listed_07/runs"]) {
    await page().goto(`/t/default/${path}`);
    await rows().nth(3).waitFor();
    await page().getByRole("search").getByRole("button", { name: /^Time/ }).click();
    await page().getByRole("menuitemcheckbox", { name: "last hour" }).click();
    await page().waitForURL(/within=1h/);
    await page().getByLabel("Last day").fill("2020-01-31");
    await page().waitForURL(/to=2020-01-31/);
    await page().getByText("No runs match these filters").waitFor();
    await page().keyboard.press("Escape");
    await page().getByRole("button", { name: "Any Time" }).click();
    await rows().nth(3).waitFor();
    await head("Duration").getByRole("button").click();
    await page().waitForURL(/sort=longest/);
    expect(await head("Duration").getAttribute("aria-sort")).toBe("descending");
    expect(await page().locator("[role=columnheader][aria-sort]").count()).toBe(1);
  }
});

test("grid, graph and Gantt name their run, and lead to the one before and after", async () => {
  const [oldest, middle, newest] = runs as [string, string, string];
  await page().goto(`/t/default/dags/listed_07/gantt?run=${middle}`);
  const bar = page().getByRole("region", { name: "Run", exact: true });
  const shows = async (run: string) => {
    await expect
      .poll(() => bar.getByRole("link").getAttribute("href"))
      .toBe(`/t/default/runs/${run}`);
    await expect.poll(() => bar.getAttribute("aria-busy")).toBe("false");
  };
  await shows(middle);
  // Closed, the drawer leaves the run.
  await page().getByRole("button", { name: "Close (Esc)" }).click();
  await expect.poll(() => page().locator("aside").count()).toBe(0);
  await shows(middle);
  await page().keyboard.press("[");
  await shows(oldest);
  await expect
    .poll(() => bar.getByRole("button", { name: "Previous run" }).isDisabled())
    .toBe(true);
  await page().getByRole("link", { name: "Graph", exact: true }).click();
  await shows(oldest);
  expect(await page().locator("aside").count()).toBe(0);
  await page().keyboard.press("]");
  await shows(middle);
  await bar.getByRole("button", { name: "Next run" }).click();
  await shows(newest);
  await bar.getByText("newest").waitFor();
  await page().getByRole("link", { name: "Grid", exact: true }).click();
  await shows(newest);
  expect(await violationsInBoth(page())).toEqual([]);
  await bar.getByRole("button", { name: "Details" }).click();
  await page().locator("aside").getByText("Open the run").waitFor();
});

test("what is selected stays in sight beside the drawer", async () => {
  await page().setViewportSize({ width: 1024, height: 700 });
  for (const view of ["grid", "graph", "gantt"]) {
    await page().goto(`/t/default/dags/listed_07/${view}?run=${runs[0]}&task=only`);
    const drawer = page().locator("aside");
    await drawer.getByRole("button", { name: "Clear…" }).waitFor();
    const mark =
      view === "grid"
        ? page().locator("[role=treegrid] [data-selected]:not([data-row])").last()
        : page().locator("main").getByRole("button", { name: /^only/, pressed: true });
    await expect
      .poll(async () => {
        const [chosen, beside] = [await mark.boundingBox(), await drawer.boundingBox()];
        return chosen && beside && chosen.x >= 0 && chosen.x < beside.x;
      })
      .toBe(true);
  }
  await page().setViewportSize({ width: 1440, height: 900 });
});
