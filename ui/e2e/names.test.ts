import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, inject, test, vi } from "vitest";
import { ask, PATIENCE_MS, ran } from "./api.ts";
import { inBrowser, violationsInBoth, widthOf } from "./browser.ts";

const server = inject("server");
const { page } = inBrowser();

const SOURCE = `from headway import dag, task\n
@dag
def billed():
    @task(map_index_template="INV-{{ 1000 + number }} of {{ task.op_kwargs.customer }}")
    def bill(number: int, customer: str):
        if number % 2:
            raise ValueError("no address")\n
    bill.partial(customer="Ann & Sons").expand(number=list(range(12)))\n
billed()
@dag
def again():
    @task(retries=2, retry_delay=3600)
    def late():
        raise ValueError("not there yet")\n
    late()\n
again()
`;

let run = "";

beforeAll(async () => {
  writeFileSync(join(server.dags, "billed.py"), SOURCE);
  await vi.waitFor(
    async () => expect(await ask(server, "/dags/billed")).toMatchObject({ version: 1 }),
    { timeout: PATIENCE_MS, interval: 100 },
  );
  run = await ran(server, "billed");
});

test("mapped instances have the names that their template gives them, and are found by them", async () => {
  await page().goto(`/t/default/runs/${run}?task=bill&state=all`);
  const drawer = page().getByRole("complementary");
  await drawer.getByText("INV-1003 of Ann & Sons").waitFor();
  await drawer.getByLabel("Name, index or error…").fill("inv-1010");
  await expect.poll(() => drawer.getByText(/^INV-1/).count()).toBe(1);
  await drawer.getByText("INV-1010 of Ann & Sons").click();
  const title = drawer.getByRole("heading", { level: 2 });
  await expect.poll(() => title.textContent()).toContain("[10]");
  await expect.poll(() => title.textContent()).toContain("INV-1010 of Ann & Sons");
  expect(await violationsInBoth(page())).toEqual([]);
});

test("an error says the name of where it came first and of all that have it", async () => {
  await page().goto(`/t/default/runs/${run}`);
  const errors = page().getByRole("region", { name: "Errors" });
  await errors
    .getByRole("button", { name: /bill \[INV-1\d\d\d of Ann & Sons\]/ })
    .first()
    .waitFor();
  await errors.getByText("×6: the task instances with this error").click();
  await errors.getByText("bill [INV-1011 of Ann & Sons]", { exact: true }).waitFor();
  for (const width of [390, 1024]) {
    await page().setViewportSize({ width, height: 812 });
    await expect.poll(() => widthOf(page())).toBe(width);
  }
  await page().setViewportSize({ width: 1440, height: 900 });
});

test("a bar of the Gantt chart has the name of its instance", async () => {
  await page().goto(`/t/default/dags/billed/gantt?run=${run}`);
  await page()
    .getByRole("button", { name: /bill INV-1004 of Ann & Sons, success/ })
    .waitFor();
});

test("an event says the name of its instance", async () => {
  await page().goto(`/t/default/events?dag=billed`);
  await page()
    .getByText(/^bill \[INV-1\d\d\d of Ann & Sons\], attempt 1$/)
    .first()
    .waitFor();
});

test("a task that waits for a retry says when, and which attempt that is of how many", async () => {
  const { run_id } = await ask<{ run_id: string }>(server, "/dags/again/runs", {});
  await page().goto(`/t/default/runs/${run_id}?task=late`);
  const drawer = page().getByRole("complementary");
  await drawer.getByText(/^retries in .*, attempt 2 of 3$/).waitFor();
  await ask(server, `/runs/${run_id}/cancel`, {});
});
