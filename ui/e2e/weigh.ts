// What each page weighs on a server that is up: HEADWAY_URL=… HEADWAY_TOKEN=… node e2e/weigh.mjs [width]
// Bytes on the way and requests with an empty cache, what is asked for twice, time of the processor, layout shifts, what
// is cut off or overlaps.
// Only first paint depends on how busy the machine is.
import { ask } from "./api.ts";
import { launch, signedIn } from "./browser.ts";
import { faults, shiftsOf, watchShifts } from "./layout.ts";

const { HEADWAY_URL: url = "", HEADWAY_TOKEN: token = "", ONLY } = process.env;
const width = Number(process.argv[2] ?? 1440);
const server = { url, token, dags: "" };
const BUDGET_BYTES = 400_000;

const newest = async (filter: string) => {
  const path = `/runs?limit=1&${filter}`;
  return (await ask<{ items: { run_id: string }[] }>(server, path)).items[0]?.run_id ?? "";
};
const { items } = await ask<{ items: { dag_id: string; tasks: number }[] }>(
  server,
  "/dags?limit=2000",
);
const dag = items.reduce((most, each) => (each.tasks > most.tasks ? each : most)).dag_id;
const failed = await newest("state=failed");
const pages = [
  ...["overview", "dags", "dags?sort=-last_run", "runs", "runs?sort=longest", "slots", "timeline"],
  ...["backfills", "events", "import-errors", "logs", "admin/users", "admin/audit", "admin/teams"],
  ...["grid", "graph", "gantt", "runs", "calendar", "durations", "code", "versions"].map(
    (view) => `dags/${dag}/${view}`,
  ),
  `runs/${await newest(`dag_id=${dag}`)}`,
  `runs/${failed}`,
].filter((path) => !ONLY || path.includes(ONLY));

const browser = await launch();
const storageState = await signedIn(browser, server).then((context) => context.storageState());
const rows: Record<string, unknown>[] = [];
for (const path of pages) {
  const context = await browser.newContext({
    baseURL: url,
    storageState, // signed in, with a cache of its own: empty
    serviceWorkers: "block",
    reducedMotion: "reduce",
    viewport: { width, height: 900 },
  });
  const page = await context.newPage();
  await watchShifts(page);
  const devtools = await context.newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Performance.enable");
  let [bytes, requests] = [0, 0];
  const asked: string[] = [];
  devtools.on("Network.requestWillBeSent", ({ request }) => asked.push(request.url));
  devtools.on("Network.loadingFinished", ({ encodedDataLength }) => {
    bytes += encodedDataLength;
    requests += 1;
  });
  await page.goto(`/t/default/${path}`);
  await page.locator("main").waitFor();
  await page.waitForFunction(() => {
    const asked = performance.getEntriesByType("resource");
    const quiet = performance.now() - Math.max(0, ...asked.map((each) => each.startTime)) > 1_500;
    return quiet && !document.querySelector("[role=status][aria-label=Loading]");
  });
  const { metrics } = await devtools.send("Performance.getMetrics");
  const busy = metrics.find((metric) => metric.name === "TaskDuration")?.value ?? 0;
  const paint = await page.evaluate(
    () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
  );
  const shifts = await shiftsOf(page);
  const wrong = await faults(page);
  rows.push({
    page: path,
    kB: Math.round(bytes / 1000),
    over: bytes > BUDGET_BYTES ? "over" : "",
    requests,
    twice: new Set(asked.filter((each, at) => asked.indexOf(each) < at)).size,
    elements: await page.evaluate(() => document.querySelectorAll("*").length),
    cpu_ms: Math.round(busy * 1000),
    paint_ms: Math.round(paint),
    shift: Number(shifts.sum.toFixed(3)),
  });
  for (const each of [...shifts.of, ...wrong]) process.stdout.write(`${path}: ${each}\n`);
  await context.close();
}
for (const row of rows) process.stdout.write(`${JSON.stringify(row)}\n`);
await browser.close();
