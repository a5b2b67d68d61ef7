import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, inject, test, vi } from "vitest";
import { ask, PATIENCE_MS, ran } from "./api.ts";
import { inBrowser, violationsInBoth, widthOf } from "./browser.ts";

const server = inject("server");
const { page } = inBrowser();
const AT = "/t/default/dags/documented";

const SOURCE = `from datetime import datetime\n
from headway import dag, task\n
DOC = """Loads **orders** from the shop.

- [Runbook](https://wiki.example.org/orders)
- <img src=x onerror=alert(1)> [bad](javascript:alert(1))
"""\n
@dag(schedule="0 5 * * *", start_date=datetime(2100, 1, 1), timezone="Asia/Tokyo",
     tags=["nightly"], owner="ann", doc_md=DOC)
def documented(days: int = 3):
    @task
    def part(index: int, days: int):
        if days > 100:
            raise ValueError("no data for this part")\n
    part.partial(days=days).expand(index=list(range(12)))\n
documented()
`;

beforeAll(async () => {
  writeFileSync(join(server.dags, "documented.py"), SOURCE);
  await vi.waitFor(
    async () => expect(await ask(server, "/dags/documented")).toMatchObject({ version: 1 }),
    { timeout: PATIENCE_MS, interval: 100 },
  );
});

test("the page of a DAG says that it never ran, then that its data is ready, then that it is not", async () => {
  await page().goto(`${AT}/grid`);
  const said = page().getByRole("status", { name: "Is the data ready?" });
  await said.getByText("This DAG has not run yet.").waitFor();
  const good = await ran(server, "documented");
  await said.getByText("Ready", { exact: true }).waitFor();
  await said.getByText("succeeded", { exact: false }).first().waitFor();
  await ran(server, "documented", { days: 101 });
  await said.getByText("Not ready", { exact: true }).waitFor();
  await said.getByText("The last good run is that of").waitFor();
  await expect.poll(() => said.getByRole("link").last().getAttribute("href")).toContain(good);
  expect(await violationsInBoth(page())).toEqual([]);
});

test("a DAG's documentation is rendered without HTML or scripts; its owner, tags and runbook are there", async () => {
  await page().goto(`${AT}/grid`);
  await page().getByText("owner ann").waitFor();
  await page().getByRole("link", { name: "nightly" }).waitFor();
  const runbook = page().getByRole("link", { name: "Runbook" });
  await expect
    .poll(() => runbook.first().getAttribute("href"))
    .toBe("https://wiki.example.org/orders");
  await page().getByText("About this DAG").click();
  await page().locator("strong", { hasText: "orders" }).waitFor();
  expect(await page().locator("details img").count()).toBe(0);
  expect(await page().locator('a[href^="javascript"]').count()).toBe(0);
  expect(await violationsInBoth(page())).toEqual([]);
  for (const width of [390, 1024]) {
    await page().setViewportSize({ width, height: 812 });
    await expect.poll(() => widthOf(page())).toBe(width);
  }
  await page().setViewportSize({ width: 1440, height: 900 });
});

test("times are shown on the clock that the reader chooses, which the page names", async () => {
  await page().goto(`${AT}/grid`);
  await choose("Europe/Paris", "UTC");
  await choose("UTC", "The DAG’s time zone");
  await page().getByRole("button", { name: "Times are in Asia/Tokyo: change" }).waitFor();
  await page().goto("/t/default/overview"); // of no DAG
  await choose("Europe/Paris", "This computer");
});

async function choose(now: string, word: string): Promise<void> {
  await page()
    .getByRole("button", { name: `Times are in ${now}: change` })
    .click();
  await page().getByRole("menuitemcheckbox", { name: word }).click();
  await page().keyboard.press("Escape");
}

test("the instances of an error are listed, searched and run again as a set", async () => {
  const run = await ran(server, "documented", { days: 101 });
  await page().goto(`/t/default/runs/${run}`);
  await page().getByText("×12: the task instances with this error").click();
  const search = page().getByLabel("Name or index…");
  const found = page()
    .locator("details")
    .getByRole("button", { name: /^failed part\[/ });
  await search.fill("[11]");
  await expect.poll(() => found.allTextContents()).toEqual([expect.stringMatching(/^part\[11\]/)]);
  await search.fill("");
  await expect.poll(() => found.count()).toBe(12);
  expect(await violationsInBoth(page())).toEqual([]);
  await page().getByRole("button", { name: "Retry these 12" }).click();
  await page().getByRole("button", { name: "Run 12 again" }).waitFor();
  await page().keyboard.press("Escape");
  await expect
    .poll(() => page().evaluate(() => document.activeElement?.textContent))
    .toBe("Retry these 12");
});

test("a form puts the focus on what is wrong, and says that a date has a run", async () => {
  await ask(server, "/dags/documented/runs", { logical_date: "2026-03-01T10:00:00Z" });
  await page().goto(`${AT}/run`);
  const days = page().getByLabel("days");
  await days.fill("x");
  await page().getByRole("button", { name: "Run documented" }).click();
  await expect.poll(() => days.evaluate((field) => field === document.activeElement)).toBe(true);
  await days.fill("3");
  await page().getByLabel("Logical date").fill("2026-03-01T11:00:00");
  await page()
    .getByRole("button", { name: /Preview|would/ })
    .click();
  await page().getByText("There is a run for this date already").waitFor();
});

test("a dialog puts the focus on what is wrong, and Escape gives it back to what opened it", async () => {
  await page().goto("/t/default/slots");
  const opener = page().getByRole("button", { name: "New pool" });
  await opener.click();
  await page().getByLabel("Name").fill("small");
  const slots = page().getByRole("textbox", { name: "Slots" });
  await slots.fill("many");
  await page().getByRole("button", { name: "Create pool" }).click();
  await expect.poll(() => slots.evaluate((field) => field === document.activeElement)).toBe(true);
  await page().keyboard.press("Escape");
  await expect.poll(() => opener.evaluate((it) => it === document.activeElement)).toBe(true);
});

test("a drawer that is closed gives the focus back to what opened it", async () => {
  const run = await ran(server, "documented", { days: 101 });
  await page().goto(`/t/default/runs/${run}`);
  const task = page().getByRole("button", { name: "failed part", exact: true }).last();
  await task.focus();
  await page().keyboard.press("Enter");
  await page().locator("aside").getByText("All 12").waitFor();
  await page().keyboard.press("Escape");
  await expect.poll(() => page().locator("aside").count()).toBe(0);
  await expect.poll(() => task.evaluate((it) => it === document.activeElement)).toBe(true);
});

test("a broken file is counted in the navigation, and Ctrl+K searches", async () => {
  await page().goto("/t/default/overview");
  await page()
    .getByRole("link", { name: /Broken files \d/ })
    .click();
  await page().waitForURL(/import-errors/);
  await page().keyboard.press("Control+k");
  await page().getByRole("combobox", { name: "Search DAGs, runs, tasks and pages" }).waitFor();
});

test("several runs are selected, told apart in what would happen, and retried at once", async () => {
  const runs = [
    await ran(server, "documented", { days: 101 }),
    await ran(server, "documented", { days: 102 }),
  ];
  await page().goto("/t/default/runs?dag=documented");
  for (const run of runs) await page().getByLabel(`Select run ${run}`).check();
  await page().getByText("2 runs selected").waitFor();
  expect(await violationsInBoth(page())).toEqual([]);
  await page().getByRole("button", { name: "Retry failed…" }).click();
  await page().getByText("24 task instances of 2 runs will run again.").waitFor();
  expect(await violationsInBoth(page())).toEqual([]);
  await page().getByRole("button", { name: "Retry 2 runs" }).click();
  await page().getByText("Retried 2 runs").waitFor();
  for (const run of runs)
    await vi.waitFor(
      async () =>
        expect(await ask(server, `/runs/${run}/task-instances/part?map_index=11`)).toMatchObject({
          attempts: 2,
        }),
      { timeout: PATIENCE_MS, interval: 200 },
    );
});
