/**
 * Walks the tasks of `walks.ts` in a browser and prints clicks and seconds: `ui/e2e/run --walks`. Fails where a task cannot
 * be done, or takes more clicks than are written down; `walks.test.ts` does the same among the long tests. With HEADWAY_URL
 * and HEADWAY_TOKEN it walks a server that runs already, whose folder is DAGS; with COUNT=1 it says of each task whether and
 * how it can be done, and never fails: so were the numbers of the first interface found. ROUNDS=9 then walks each task so
 * often and gives the median of its seconds, and ONLY is an expression for the tasks to walk.
 */
import type { BrowserContext } from "playwright-core";
import { PATIENCE_MS } from "./api.ts";
import { launch, signedIn } from "./browser.ts";
import { start } from "./server.ts";
import { fill, HEAD, told, type Walked, walked } from "./walking.ts";
import { type Facts, WALKS, type Walk } from "./walks.ts";

const COUNT = process.env.COUNT === "1";
const ROUNDS = COUNT ? Number(process.env.ROUNDS ?? 1) : 1;
const ONLY = new RegExp(process.env.ONLY ?? "", "i");

/** Several times, while it can be done: its clicks, and the median of its seconds. */
async function repeated(context: BrowserContext, facts: Facts, walk: Walk): Promise<Walked> {
  const once = () => walked(context, facts, walk, COUNT ? 6_000 : PATIENCE_MS);
  const done = [await once()];
  while (done.length < ROUNDS && done[0]?.clicks !== null) done.push(await once());
  const fine = done.filter((one) => one.clicks !== null).sort((a, b) => a.seconds - b.seconds);
  return fine[Math.floor(fine.length / 2)] ?? (done[0] as Walked);
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
  const facts = await fill(server, COUNT);
  const context = await signedIn(browser, server, { viewport: { width: 1440, height: 900 } });
  say(HEAD);
  const walks = WALKS.filter((walk) => ONLY.test(walk.task));
  for (const walk of walks) {
    const done = await repeated(context, facts, walk);
    say(told(done));
    if (done.trouble && COUNT) say(`    ${done.trouble}`);
    if (COUNT || (done.clicks !== null && done.clicks <= walk.clicks)) continue;
    wrong += 1;
    say(`    expected ${walk.clicks} clicks. ${done.trouble}`);
  }
  say(`${walks.length} tasks walked, ${wrong} otherwise than written down`);
} finally {
  await browser.close();
  await stop();
}
if (wrong > 0) process.exit(1);
