/**
 * Walks the tasks of `walks.ts` in a browser: `ui/e2e/run --walks`. Fails where a task cannot be done, or takes another
 * number of clicks than is written down. With HEADWAY_URL and HEADWAY_TOKEN it walks a server that runs already, whose
 * folder is DAGS; with COUNT=1 it says of each task whether and how it can be done, and never fails: so were the
 * numbers of the first interface found. ROUNDS=9 then walks each task so often and gives the median of its seconds, and
 * ONLY is an expression for the tasks to walk.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { BrowserContext } from "playwright-core";
import { ask, ran } from "./api.ts";
import { launch, signedIn } from "./browser.ts";
import { type Server, start } from "./server.ts";
import { type Facts, Steps, WALKS, type Walk } from "./walks.ts";

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
const COUNT = process.env.COUNT === "1";
const ROUNDS = COUNT ? Number(process.env.ROUNDS ?? 1) : 1;
const ONLY = new RegExp(process.env.ONLY ?? "", "i");
const PATIENCE_MS = COUNT ? 6_000 : 60_000;

async function known(server: Server, dag: string): Promise<boolean> {
  for (let left = 300; left > 0; left -= 1) {
    const found = await ask(server, `/dags/${dag}`).then(
      () => true,
      () => false,
    );
    if (found) return true;
    if (COUNT && left < 270) return false;
    await setTimeout(200);
  }
  throw new Error(`${dag} was not loaded`);
}

/** Runs of every kind. What an older server cannot load is left out. */
async function fill(server: Server): Promise<Facts> {
  writeFileSync(join(server.dags, "shop.py"), SHOP);
  await known(server, "orders");
  const good = await ran(server, "orders");
  const earlier = await ran(server, "invoices");
  const failed = await ran(server, "invoices");
  await ask(server, "/dags/orders/runs", { logical_date: "2026-03-01T10:00:00Z" });
  const live = await started(server, "follow", { lines: 6_000 });
  const facts = { failed, earlier, good, live, late: "", fine: "" };
  if (!(await known(server, "shop"))) return facts;
  await started(server, "homeless");
  const fine = await ran(server, "shop");
  return { ...facts, fine, late: await ran(server, "shop", { days: 101 }) };
}

async function started(server: Server, dag: string, params = {}): Promise<string> {
  return (await ask<{ run_id: string }>(server, `/dags/${dag}/runs`, { params })).run_id;
}

interface Walked {
  walk: Walk;
  clicks: number | null;
  seconds: number;
  trouble: string;
}

/** From Home, on a page of its own. */
async function walked(context: BrowserContext, facts: Facts, walk: Walk): Promise<Walked> {
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
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

/** Several times, while it can be done: its clicks, and the median of its seconds. */
async function repeated(context: BrowserContext, facts: Facts, walk: Walk): Promise<Walked> {
  const done = [await walked(context, facts, walk)];
  while (done.length < ROUNDS && done[0]?.clicks !== null)
    done.push(await walked(context, facts, walk));
  const fine = done.filter((one) => one.clicks !== null).sort((a, b) => a.seconds - b.seconds);
  return fine[Math.floor(fine.length / 2)] ?? (done[0] as Walked);
}

function told({ walk, clicks, seconds, trouble }: Walked): string {
  const before = walk.before === null ? "not possible" : `${walk.before}`;
  const now = clicks === null ? "not possible" : `${clicks}`;
  const row = [walk.who.padEnd(8), before.padEnd(13), now.padEnd(13), `${seconds.toFixed(2)} s`];
  return `${row.join(" ").padEnd(46)} ${walk.task}${trouble && COUNT ? `\n    ${trouble}` : ""}`;
}

const say = (line: string) => process.stdout.write(`${line}\n`);
const running = process.env.HEADWAY_URL;
const [server, stop] = running
  ? [
      { url: running, token: process.env.HEADWAY_TOKEN ?? "", dags: process.env.DAGS ?? "" },
      async () => {},
    ]
  : await start();
const browser = await launch();
let wrong = 0;
try {
  const facts = await fill(server);
  const context = await signedIn(browser, server, { viewport: { width: 1440, height: 900 } });
  say("who      before        clicks        time    task");
  const walks = WALKS.filter((walk) => ONLY.test(walk.task));
  for (const walk of walks) {
    const done = await repeated(context, facts, walk);
    say(told(done));
    const more = walk.before !== null && done.clicks !== null && done.clicks > walk.before;
    if (COUNT || (done.clicks === walk.clicks && !more)) continue;
    wrong += 1;
    say(`    expected ${walk.clicks} clicks. ${done.trouble}`);
  }
  say(`${walks.length} tasks walked, ${wrong} otherwise than written down`);
} finally {
  await browser.close();
  await stop();
}
if (wrong > 0) process.exit(1);
