import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, inject, test, vi } from "vitest";
import { ask, PATIENCE_MS, ran } from "./api.ts";
import { inBrowser } from "./browser.ts";

const server = inject("server");
const { page } = inBrowser();

const SOURCE = `from headway import Asset, dag, task, task_group\n
daily = Asset("daily_marts")\n
@dag(owner="ann")
def warehouse_of_the_day():
    @task
    def load():
        raise ValueError("no files of this day")\n
    @task
    def build():
        pass\n
    @task(outlets=[daily])
    def finish():
        pass\n
    @task_group
    def marts():
        for n in range(10):
            build.override(task_id=f"mart_{n}")()\n
    @task_group
    def exports():
        for n in range(30):
            build.override(task_id=f"export_{n}")()\n
    load() >> marts() >> exports() >> finish()\n
@dag(schedule=daily, owner="bob")
def report_of_the_day():
    @task
    def send():
        pass\n
    send()\n
@dag(schedule=Asset("sent"), owner="eve")
def unrelated():
    @task
    def nothing():
        pass\n
    nothing()\n
warehouse_of_the_day()
report_of_the_day()
unrelated()
`;
let failed = "";

beforeAll(async () => {
  writeFileSync(join(server.dags, "warehouse_of_the_day.py"), SOURCE);
  const known = async () => await ask(server, "/dags/report_of_the_day");
  await vi.waitFor(known, { timeout: PATIENCE_MS, interval: 100 });
  failed = await ran(server, "warehouse_of_the_day");
});

test("what a failure blocked stands in groups, and in the DAGs that wait for it", async () => {
  await page().goto(`/t/default/runs/${failed}`);
  const card = page().locator("section").filter({ hasText: "Blocked tasks" }).last();
  await card.getByText("marts (10), exports (30), finish", { exact: true }).waitFor();
  expect(await card.getByText("marts.mart_7").isVisible()).toBe(false);
  await card.getByText("marts (10), exports (30), finish").click();
  await card.getByText("marts.mart_7").waitFor();
  await card.getByText("upstream task load failed (rule: all_success)").first().waitFor();

  const others = page().locator("section").filter({ hasText: "Other DAGs that wait" }).last();
  await others.getByRole("link", { name: "report_of_the_day" }).waitFor();
  await others.getByText("which finish did not update").waitFor();
  await others.getByText("owner bob").waitFor();
  expect(await others.getByText("unrelated").count()).toBe(0);
});

test("the failure is first among 42 tasks", async () => {
  await page().goto(`/t/default/runs/${failed}`);
  const table = page().getByRole("table", { name: /tasks/i });
  await table.getByRole("button", { name: "load" }).first().waitFor();
  const first = table.getByRole("row").nth(1);
  await expect.poll(async () => await first.textContent()).toMatch(/^(failed )?load/);
});
