import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, inject, test, vi } from "vitest";
import { ask, PATIENCE_MS, ran } from "./api.ts";
import { inBrowser, violationsInBoth, widthOf } from "./browser.ts";
import { faults } from "./layout.ts";

/** Assets: the list, one of them with what waits for it, and an event reported by a person. */
const server = inject("server");
const { page } = inBrowser();

const drops = mkdtempSync(join(tmpdir(), "drops-"));

const SOURCE = `from headway import Asset, AssetAlias, DayWindow, FilesArrive, PartitionedAssets, RollupMapper, StartOfDayMapper, Watcher, dag, task, wait_for_asset, wait_for_run

sales = Asset("sales", uri="s3://shop/sales", extra={"format": "parquet"})
rates = Asset("feeds/rates")
clicks = Asset("clicks")

@dag(owner="ann")
def sells():
    @task(outlets=[sales])
    def sell():
        pass
    sell()

@dag(schedule=[sales, rates], owner="bob")
def turnover():
    @task
    def sum_up():
        pass
    sum_up()

@dag(owner="carol")
def board_paper():
    wait_for_run("await_turnover", dag_id="turnover")

@dag(schedule=PartitionedAssets(clicks, RollupMapper(StartOfDayMapper(), DayWindow())))
def daily_clicks():
    @task
    def sum_up():
        pass
    sum_up()

files = AssetAlias("files")

@dag(owner="dora")
def receives():
    @task(outlets=[files])
    def receive(run):
        run.outlet_events[files].add(Asset("files/eu"), {"rows": 3})
    receive()

@dag(schedule=files)
def uses_files():
    @task
    def use():
        pass
    use()

@dag(owner="erik")
def audit():
    wait_for_asset("await_them", asset=sales)

async def queue():
    raise OSError("no such queue")
    yield

drops = Asset("drops", watchers=[
    FilesArrive("${drops}/*.csv", every=0.2, name="inbox"), Watcher(queue, what="letters")])

@dag(schedule=drops)
def reads_drops():
    @task
    def read():
        pass
    read()

reads_drops()
receives()
uses_files()
audit()
sells()
turnover()
board_paper()
daily_clicks()
`;

let run = "";

beforeAll(async () => {
  writeFileSync(join(server.dags, "data.py"), SOURCE);
  await vi.waitFor(() => ask(server, "/dags/turnover"), { timeout: PATIENCE_MS, interval: 200 });
  run = await ran(server, "sells");
});

const row = (name: string) => page().getByRole("row").filter({ hasText: name });
const dialog = () => page().getByRole("dialog");

test("assets are listed with who updates them, who waits and who owns these", async () => {
  await page().goto("/t/default/assets");
  await row("sales").getByText("s3://shop/sales").waitFor();
  await row("sales").getByRole("link", { name: "sells" }).waitFor();
  await row("sales").getByRole("link", { name: "turnover" }).waitFor();
  await row("sales").getByText("ann, bob, erik").waitFor();
  await row("feeds/rates").getByText("from outside").waitFor();
  await row("feeds/rates").getByText("never").waitFor();
  await page().getByRole("columnheader", { name: "Last event" }).getByRole("button").click();
  await page().waitForURL(/sort=-last_event/);
  await expect.poll(() => page().getByRole("row").nth(1).textContent()).toContain("sales");
  expect(await violationsInBoth(page())).toEqual([]);
  await page().getByLabel("Name or URI…").fill("nothing like it");
  await page().getByText("No assets match").waitFor();
});

test("an asset tells its events, what is still missing, and who is late with it", async () => {
  await page().goto("/t/default/assets");
  await page().getByRole("link", { name: "sales" }).click();
  await page().locator("h1").getByText("sales").waitFor();
  const events = page().getByRole("table", { name: "Events" });
  await events.getByRole("link", { name: "sells" }).waitFor();
  expect(await events.getByRole("link", { name: "sells" }).getAttribute("href")).toContain(run);
  const waiters = page().getByRole("table", { name: "DAGs that wait for it" });
  await waiters.getByText("owner bob").waitFor();
  await waiters.getByRole("link", { name: "feeds/rates" }).waitFor();
  await page().getByText("3 DAGs are affected").waitFor();
  await page().getByText("owners bob, carol, erik").waitFor();
  const awaiting = page().locator("dl > div").filter({ hasText: "Awaited by" });
  await awaiting.getByText("await_them").waitFor();
  expect(await page().getByText("Read by").count()).toBe(0);
  expect(await violationsInBoth(page())).toEqual([]);
  await page().setViewportSize({ width: 390, height: 812 });
  expect(await faults(page())).toEqual([]);
  expect(await widthOf(page())).toBe(390);
  await page().setViewportSize({ width: 1440, height: 900 });
});

test("an asset tells what its watchers do, and why one fails", async () => {
  await page().goto("/t/default/assets/detail?asset=sales");
  await page().getByText("None. A watcher tells of events outside of Headway").waitFor();
  await vi.waitFor(
    async () => {
      const found = await ask<{
        watchers: { state: string; looks: number; error: string | null }[];
      }>(server, "/assets/detail?asset=drops");
      expect(found.watchers[0]?.looks).toBeGreaterThan(0);
      expect(found.watchers[1]?.error).not.toBeNull();
    },
    { timeout: PATIENCE_MS, interval: 200 },
  );
  writeFileSync(join(drops, "monday.csv"), "1\n");
  await vi.waitFor(
    async () => {
      const found = await ask<{ items: unknown[] }>(server, "/assets/events?asset=drops");
      expect(found.items).toHaveLength(1);
    },
    { timeout: PATIENCE_MS, interval: 200 },
  );
  await page().goto("/t/default/assets/detail?asset=drops");
  const watchers = page().getByRole("table", { name: "Watchers" });
  await watchers.getByText("inbox").waitFor();
  await watchers.getByText("Looking", { exact: true }).waitFor();
  await watchers.getByText("OSError: no such queue").waitFor();
  await watchers.getByText("letters").waitFor();
  await page().getByRole("table", { name: "Events" }).getByText("watcher inbox").waitFor();
  expect(await violationsInBoth(page())).toEqual([]);
  await page().setViewportSize({ width: 390, height: 812 });
  expect(await faults(page())).toEqual([]);
  expect(await widthOf(page())).toBe(390);
  await page().setViewportSize({ width: 1440, height: 900 });
});

test("an alias tells its assets, and an asset the alias through which it came", async () => {
  await ran(server, "receives");
  await page().goto("/t/default/assets");
  await row("alias files").getByRole("link", { name: "receives" }).waitFor();
  await page().getByRole("link", { name: "alias files" }).click();
  await page().locator("h1").getByText("alias files").waitFor();
  const events = page().getByRole("table", { name: "Events" });
  await events.getByRole("link", { name: "files/eu" }).waitFor();
  await page()
    .getByRole("table", { name: "DAGs that wait for it" })
    .getByText("uses_files")
    .waitFor();
  expect(await violationsInBoth(page())).toEqual([]);
  await page().setViewportSize({ width: 390, height: 812 });
  expect(await faults(page())).toEqual([]);
  await page().setViewportSize({ width: 1440, height: 900 });
  await events.getByRole("link", { name: "files/eu" }).click();
  await page().locator("h1").getByText("files/eu").waitFor();
  await page().getByText("Added through").waitFor();
  await page().goto("/t/default/dependencies?dag=uses_files");
  await page().getByRole("link", { name: "alias files" }).first().waitFor();
});

test("an asset tells its partitions, and which hours a day still misses", async () => {
  for (let hour = 0; hour < 23; hour++) {
    const partition = `2026-03-01T${String(hour).padStart(2, "0")}`;
    await ask(server, "/assets/events", { asset: "clicks", partition });
  }
  await page().goto("/t/default/assets/detail?asset=clicks");
  const partitions = page().getByRole("table", { name: "Partitions" });
  await partitions.getByText("2026-03-01T22").waitFor();
  const waiters = page().getByRole("table", { name: "DAGs that wait for it" });
  await waiters.getByText("2026-03-01T23").waitFor();
  expect(await violationsInBoth(page())).toEqual([]);
  await page().setViewportSize({ width: 390, height: 812 });
  expect(await faults(page())).toEqual([]);
  await page().setViewportSize({ width: 1440, height: 900 });
});

test("the page of a DAG says which data its next run waits for", async () => {
  const standing = page().getByRole("status", { name: "Is the data ready?" });
  await page().goto("/t/default/dags/daily_clicks");
  await standing.getByText("2026-03-01T23").waitFor();
  await page().goto("/t/default/dags/turnover");
  await standing.getByText("feeds/rates").waitFor();
  expect(await violationsInBoth(page())).toEqual([]);
});

test("a run is started for a partition, and its page says so", async () => {
  await page().goto("/t/default/dags/daily_clicks/run");
  await page().getByLabel("Partition").fill("2026-03-02");
  await page().getByRole("button", { name: "Run daily_clicks" }).click();
  await page().waitForURL(/\/runs\/\w+$/);
  await page().getByText("2026-03-02", { exact: true }).first().waitFor();
  await page().goto("/t/default/runs?dag=daily_clicks");
  await page().getByRole("table", { name: "Runs" }).getByText("manual 2026-03-02").waitFor();
});

test("a person reports the missing event, and the run comes", async () => {
  await page().goto("/t/default/assets/detail?asset=feeds%2Frates");
  await page().getByText("headway asset emit feeds/rates").waitFor();
  await page().getByRole("button", { name: "Report event…" }).click();
  await dialog().getByLabel("Extra").fill("[1]");
  await dialog().getByText("Enter a JSON object").waitFor();
  await dialog().getByLabel("Extra").fill('{"rows": 7}');
  await dialog().getByLabel("Partition").fill("2026-11-30");
  expect(await violationsInBoth(page())).toEqual([]);
  await dialog().getByRole("button", { name: "Report event", exact: true }).click();
  const events = page().getByRole("table", { name: "Events" });
  await events.getByText('{"rows":7}').waitFor();
  await events.getByTitle(/^user:/).waitFor();
  await expect
    .poll(
      async () =>
        (await ask<{ items: unknown[] }>(server, "/runs?dag_id=turnover&trigger=asset")).items
          .length,
      { timeout: PATIENCE_MS },
    )
    .toBe(1);
  await page().goto("/t/default/runs?dag=turnover");
  const list = page().getByRole("table", { name: "Runs" });
  await list.getByText(/^asset .*feeds\/rates/).waitFor();
});

test("dependencies name owners, and lead to the asset", async () => {
  await page().goto("/t/default/dependencies?dag=turnover");
  const turnover = page()
    .locator("li")
    .filter({ has: page().locator("h2", { hasText: "turnover" }) });
  await turnover.getByText("· owner carol").first().waitFor();
  await turnover.getByText("1 DAG is affected").waitFor();
  expect(await violationsInBoth(page())).toEqual([]);
  await page().goto("/t/default/dependencies?dag=audit");
  const waits = page()
    .locator("li")
    .filter({ has: page().locator("h2", { hasText: "audit" }) })
    .locator("div")
    .filter({ has: page().getByRole("heading", { name: "Waits for" }) });
  await waits.getByRole("link", { name: "sells" }).waitFor();
  await waits.getByRole("link", { name: "sales", exact: true }).waitFor();
  await page().goto("/t/default/dependencies?dag=turnover");
  await turnover.getByRole("link", { name: "feeds/rates" }).click();
  await page().locator("h1").getByText("feeds/rates").waitFor();
});
