/** Walks the tasks of `walks.ts` in a browser, on a server with runs of every kind. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { BrowserContext } from "playwright-core";
import { ask, PATIENCE_MS, ran } from "./api.ts";
import type { Server } from "./server.ts";
import { type Facts, Steps, type Walk } from "./walks.ts";

const SHOP = `from headway import Asset, dag, task, wait_for_run\n
shop_orders = Asset("shop_orders")
DOC = "Takes orders. [Runbook](https://wiki.example.org/shop)"\n
@dag(owner="ann", doc_md=DOC)
def shop(days: int = 3):
    @task(outlets=[shop_orders])
    def load(part: int, days: int):
        if days > 100:
            raise ValueError("no orders of this day")\n
    load.partial(days=days).expand(part=list(range(6)))\n
@dag(schedule=shop_orders, owner="bob")
def marts():
    @task
    def build():
        pass\n
    build()\n
@dag(owner="eve")
def report():
    wait_for_run(task_id="await_marts", dag_id="marts")\n
@dag
def homeless():
    @task(pool="attic")
    def move_in():
        pass\n
    move_in()\n
shop()
marts()
report()
homeless()
`;

export interface Walked {
  walk: Walk;
  /** None where the task could not be done. */
  clicks: number | null;
  seconds: number;
  trouble: string;
}

/** Runs of every kind. What a server cannot load is left out if it is an older one: `isOlder`. */
export async function fill(server: Server, isOlder = false): Promise<Facts> {
  writeFileSync(join(server.dags, "shop.py"), SHOP);
  await known(server, "orders", isOlder);
  const good = await ran(server, "orders");
  const earlier = await ran(server, "invoices");
  const failed = await ran(server, "invoices");
  await ask(server, "/dags/orders/runs", { logical_date: "2026-03-01T10:00:00Z" });
  const live = await started(server, "follow", { lines: 6_000 });
  const facts = { failed, earlier, good, live, late: "", fine: "" };
  if (!(await known(server, "shop", isOlder))) return facts;
  await started(server, "homeless");
  const fine = await ran(server, "shop");
  return { ...facts, fine, late: await ran(server, "shop", { days: 101 }) };
}

/** Whether a DAG is loaded; an older server is given a few seconds for it. */
async function known(server: Server, dag: string, isOlder: boolean): Promise<boolean> {
  for (let left = isOlder ? 30 : 300; left > 0; left -= 1) {
    const found = await ask(server, `/dags/${dag}`).then(
      () => true,
      () => false,
    );
    if (found) return true;
    await setTimeout(200);
  }
  if (isOlder) return false;
  throw new Error(`${dag} was not loaded`);
}

async function started(server: Server, dag: string, params = {}): Promise<string> {
  return (await ask<{ run_id: string }>(server, `/dags/${dag}/runs`, { params })).run_id;
}

/** From Home, on a page of its own. */
export async function walked(
  context: BrowserContext,
  facts: Facts,
  walk: Walk,
  patienceMs = PATIENCE_MS,
): Promise<Walked> {
  const page = await context.newPage();
  page.setDefaultTimeout(patienceMs);
  await page.goto("/t/default/overview");
  await page.locator("main h2").first().waitFor();
  const go = new Steps(page, facts);
  const began = Date.now();
  const trouble = await walk.walk(go).then(
    () => "",
    (error: Error) => error.message.split("\n").slice(0, 3).join(" "),
  );
  const seconds = (Date.now() - began) / 1000;
  await page.close();
  return { walk, clicks: trouble ? null : go.clicks, seconds, trouble };
}

export const HEAD = "who      before        clicks        time    task";

export function told({ walk, clicks, seconds }: Walked): string {
  const before = walk.before === null ? "not possible" : `${walk.before}`;
  const now = clicks === null ? "not possible" : `${clicks}`;
  const row = [walk.who.padEnd(8), before.padEnd(13), now.padEnd(13), `${seconds.toFixed(2)} s`];
  return `${row.join(" ").padEnd(46)} ${walk.task}`;
}
