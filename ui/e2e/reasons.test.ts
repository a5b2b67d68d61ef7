import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, inject, test, vi } from "vitest";
import { ask, PATIENCE_MS, ran } from "./api.ts";
import { inBrowser, violations } from "./browser.ts";
import { PYTHON } from "./server.ts";

/** Why something is as it is: each kind of reason that the server knows, as a page shows it. */
const server = inject("server");
const { page } = inBrowser();
const drawer = () => page().getByRole("complementary");

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const SEED = fileURLToPath(new URL("reasons.py", import.meta.url));
const NO_POOL = `"""A task whose pool nobody has made."""

from headway import dag, task


@dag
def poolless():
    @task(pool="nowhere")
    def swim():
        pass

    swim()


poolless()
`;

test("the events tell each kind of reason in words, and names as names", async () => {
  const run = await ran(server, "orders");
  const said = seed(run);
  await page().setViewportSize({ width: 1440, height: 600 + 40 * said.length }); // all its rows are in the document
  await page().goto(`/t/default/events?run=${run}`);
  const rows = page().getByRole("row").filter({ hasText: "told" });
  const shown = () =>
    rows.evaluateAll((all) => all.map((row) => row.lastElementChild?.textContent).toSorted());
  await expect.poll(shown).toEqual(said.map((text) => text.replaceAll("`", "")).toSorted());
  expect(await rows.locator("code").allTextContents()).toContain("etl");
  expect(await violations(page())).toEqual([]);
});

test("what waits for a pool that does not exist leads to the pools", async () => {
  writeFileSync(join(server.dags, "poolless.py"), NO_POOL);
  await vi.waitFor(() => ask(server, "/dags/poolless"), { timeout: PATIENCE_MS, interval: 100 });
  const { run_id } = await ask<{ run_id: string }>(server, "/dags/poolless/runs", {});
  try {
    await page().goto(`/t/default/runs/${run_id}?task=swim&map=-1`);
    await drawer().getByText("pool nowhere does not exist").waitFor();
    expect(await drawer().getByText("headway pool set").count()).toBe(0); // the button does it
    await drawer().getByRole("button", { name: "Create pool nowhere" }).waitFor();
    await drawer().getByRole("link", { name: "View slots" }).click();
    await page().waitForURL(/\/slots/);
    await page().getByRole("button", { name: "New pool" }).waitFor();
  } finally {
    await ask(server, `/runs/${run_id}/cancel`, {});
  }
});

/** Events of a run with each kind of reason; how each is said. */
function seed(run: string): string[] {
  const data = join(server.dags, "../data");
  const env = { ...process.env, PYTHONPATH: ROOT };
  const printed = execFileSync(PYTHON, [SEED, data, run, "orders"], { env, encoding: "utf8" });
  return JSON.parse(printed);
}
