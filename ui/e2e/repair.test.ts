import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, inject, test, vi } from "vitest";
import { ask, ended, PATIENCE_MS, ran } from "./api.ts";
import { inBrowser, violationsInBoth, widthOf } from "./browser.ts";

const server = inject("server");
const { page } = inBrowser();

const SOURCE = `from headway import Asset, dag, task, wait_for_run\n
orders = Asset("shop_orders")
DOC = "Takes orders. [Runbook](https://wiki.example.org/shop)"\n
@dag(tags=["shop"], owner="ann", doc_md=DOC)
def shop(days: int = 3):
    @task(outlets=[orders])
    def load(days: int):
        if days > 100:
            raise ValueError("no orders of this day")\n
    @task
    def check():
        pass\n
    load(days) >> check()\n
@dag(schedule=orders, owner="bob")
def marts():
    @task
    def build():
        pass\n
    build()\n
@dag(owner="eve")
def report():
    wait_for_run(task_id="await_marts", dag_id="marts")\n
shop()
marts()
report()
`;
let failed = "";
let good = "";

beforeAll(async () => {
  writeFileSync(join(server.dags, "shop.py"), SOURCE);
  await known("report");
  good = await ran(server, "shop");
  failed = await ran(server, "shop", { days: 101 });
});

async function known(dag: string): Promise<void> {
  await vi.waitFor(async () => await ask(server, `/dags/${dag}`), {
    timeout: PATIENCE_MS,
    interval: 100,
  });
}

/** Nothing that axe finds, and nothing wider than the window. */
async function readable(): Promise<void> {
  for (const width of [390, 1024, 1440]) {
    await page().setViewportSize({ width, height: 900 });
    await expect.poll(() => widthOf(page())).toBe(width);
  }
  expect(await violationsInBoth(page())).toEqual([]);
}

test("a failed run names the DAGs that wait for it, their owners, and whom to ask", async () => {
  await page().goto(`/t/default/runs/${failed}`);
  const waiting = page().locator("section", { hasText: "Other DAGs that wait for this" }).last();
  await waiting.getByText("which load did not update").waitFor();
  await waiting.getByText("owner bob").waitFor();
  await waiting.getByText("owner eve").waitFor();
  const facts = page().locator("section", { hasText: "About the DAG" }).last();
  await facts.getByText("ann", { exact: true }).waitFor();
  await facts.getByRole("link", { name: "https://wiki.example.org/shop" }).waitFor();
  await facts.getByRole("link", { name: "shop", exact: true }).waitFor();
  await facts.getByText("none planned").waitFor();
  await readable();
});

test("from a failed run to the last good one beside it, and back by the other side", async () => {
  await page().goto(`/t/default/runs/${failed}`);
  await page().getByRole("link", { name: "Compare them side by side" }).click();
  await page().waitForURL(new RegExp(`runs/${good}/diff\\?with=${failed}`));
  const facts = page().getByRole("table", { name: "What differs", exact: true });
  await facts.getByText("parameter days").waitFor();
  const tasks = page().getByRole("table", { name: "Tasks that differ" });
  const first = tasks.getByRole("row").nth(1);
  await first.getByText("1 failed").waitFor();
  await readable();
  await page().getByRole("link", { name: "Swap sides" }).click();
  await page().waitForURL(new RegExp(`runs/${failed}/diff\\?with=${good}`));
});

test("two runs that are selected in a list are compared", async () => {
  await page().goto("/t/default/runs?dag=shop");
  for (const run of [good, failed]) await page().getByLabel(`Select run ${run}`).check();
  await page().getByRole("link", { name: "Compare", exact: true }).click();
  await page().waitForURL(new RegExp(`runs/${good}/diff\\?with=${failed}`));
});

test("the page of dependencies tells who is affected by a DAG that is late", async () => {
  await page().goto("/t/default/dags/shop/grid");
  await page().getByRole("link", { name: "2 DAGs wait for it" }).click();
  await page().waitForURL(/dependencies\?dag=shop/);
  const shop = page()
    .locator("li", { has: page().getByRole("heading", { name: /shop/ }) })
    .first();
  await shop.getByText("2 DAGs are affected: marts, report").waitFor();
  await page().getByPlaceholder("DAG, asset or owner…").fill("eve");
  await page().getByText("await_marts").waitFor();
  await expect.poll(() => page().getByText("2 DAGs are affected").count()).toBe(0);
  await page().getByPlaceholder("DAG, asset or owner…").fill("");
  await readable();
});

test("a broken file shows the line, the code around it, and the DAGs that keep an older version", async () => {
  const broken = SOURCE.replace("@dag(schedule=orders", "@dagg(schedule=orders");
  writeFileSync(join(server.dags, "shop.py"), broken);
  await page().goto("/t/default/import-errors");
  const item = page().getByRole("listitem").filter({ hasText: "shop.py:" }).first();
  const code = item.getByRole("region", { name: /^shop.py around line \d+/ });
  await code.locator("[data-here=true]", { hasText: "@dagg(schedule=orders" }).waitFor();
  await item.getByText(/^broken for/).waitFor();
  await item.getByText("These DAGs keep their last good version").waitFor();
  for (const dag of ["marts", "report", "shop"])
    await item.getByRole("link", { name: dag, exact: true }).waitFor();
  await readable();
  writeFileSync(join(server.dags, "shop.py"), SOURCE);
  await expect.poll(() => item.count(), { timeout: PATIENCE_MS }).toBe(0);
});

test("events leave out the steps that tell nothing, and are narrowed by what, when and who", async () => {
  await page().goto("/t/default/events?dag=shop");
  const table = page().getByRole("table", { name: "Events" });
  await table.getByText("failed", { exact: true }).first().waitFor();
  const told = () => table.locator("[role=row]").allInnerTexts();
  expect((await told()).filter((row) => /given to an agent/.test(row))).toEqual([]);
  await readable();
  await page().getByRole("button", { name: "Show" }).click();
  await page().getByRole("menuitemcheckbox", { name: "every step" }).click();
  await table.getByText("given to an agent").first().waitFor();
  await page().goto("/t/default/events?dag=shop&name=fail&within=24h");
  await expect
    .poll(async () => (await told()).slice(1).every((row) => row.includes("failed")))
    .toBe(true);
  await page().goto("/t/default/events?dag=shop&actor=nobody&within=1h");
  await page().getByText("No events match these filters").waitFor();
  await page().goto("/t/default/events?dag=shop");
  await page().getByRole("button", { name: "Time", exact: true }).click();
  await page().getByLabel("Last day").fill("2001-02-03");
  await page().keyboard.press("Escape");
  await page().getByText("No events match these filters").waitFor();
  await page().getByRole("button", { name: "Time until 2001-02-03" }).click();
  await page().getByLabel("First day").fill("2001-02-01");
  await page().getByLabel("Last day").fill("2100-01-01");
  await page().keyboard.press("Escape");
  await table.getByText("failed", { exact: true }).first().waitFor();
  const search = () => Object.fromEntries(new URL(page().url()).searchParams);
  await expect.poll(search).toMatchObject({ from: "2001-02-01", to: "2100-01-01" });
  await readable();
});

test("the audit is told in sentences, and each entry as it was recorded", async () => {
  const { run_id } = await ask<{ run_id: string }>(server, "/dags/shop/runs", {});
  await ended(server, run_id);
  await page().goto("/t/default/admin/audit");
  const row = page().getByRole("row", { name: new RegExp(`triggered run ${run_id} of shop`) });
  await row.getByRole("button", { name: /^Raw/ }).click();
  await page().getByRole("dialog").getByText('"action": "dags.trigger"').waitFor();
  expect(await violationsInBoth(page())).toEqual([]);
  await page().keyboard.press("Escape");
  // On a phone the sentence begins with who did it, and is there whole.
  await page().setViewportSize({ width: 390, height: 844 });
  const sentence = row.getByText(`admin triggered run ${run_id} of shop`);
  await sentence.waitFor();
  expect(await sentence.evaluate((it) => it.scrollWidth <= it.clientWidth)).toBe(true);
  const [upper, lower] = await Promise.all([
    row.boundingBox(),
    row.locator("+ [role=row]").boundingBox(),
  ]);
  expect(upper && lower && upper.y + upper.height <= lower.y + 1).toBe(true);
  await page().setViewportSize({ width: 1440, height: 900 });
});
