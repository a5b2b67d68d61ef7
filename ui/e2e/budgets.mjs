// The budgets of the big grid, measured against a server that is up:
//   node e2e/budgets.mjs http://localhost:8080/login#… [dag] [seconds]
// First paint, frames dropped while scrolling, and what a live update asks of the server.
import { chromium } from "playwright-core";

const [, , link, dag = "warehouse", seconds = "5"] = process.argv;
if (!link) {
  process.stderr.write("usage: node e2e/budgets.mjs <sign-in link> [dag] [seconds]\n");
  process.exit(2);
}
const program = process.env.HEADWAY_CHROMIUM ?? "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
const page = await context.newPage();
await page.goto(link);
await page.waitForURL(/\/t\//);
const path = new URL(`/t/default/dags/${dag}/grid`, link).href;

const paints = [];
let grid = null;
for (let turn = 0; turn < 5; turn += 1) {
  await page.goto("about:blank"); // what the page before still asked for is none of this
  const answered = page.waitForResponse((response) => /\/grid\?/.test(response.url()));
  await page.goto(path);
  const response = await answered;
  await response.finished();
  const sizes = await response.request().sizes();
  await page.locator("canvas").first().waitFor();
  grid = {
    answer_ms: Math.round(response.request().timing().responseEnd),
    wire_kB: Math.round(sizes.responseBodySize / 1000),
    kB: Math.round((await response.body()).length / 1000),
  };
  paints.push(
    await page.evaluate(() => ({
      first: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null,
      cells: performance.now(),
    })),
  );
}

// Frames are also late because the machine is busy: beside them stand those of a page at rest, and
// how much of the time of each frame the page itself used.
const devtools = await context.newCDPSession(page);
await devtools.send("Performance.enable");
const resting = await scrolled(0);
const [before, moving, after] = [await busy_s(), await scrolled(40), await busy_s()];

async function busy_s() {
  const { metrics } = await devtools.send("Performance.getMetrics");
  return metrics.find((metric) => metric.name === "TaskDuration").value;
}

async function scrolled(speed) {
  return await page.evaluate(frames, [Number(seconds), speed]);
}

async function frames([lasts, speed]) {
  const view = document.querySelector("[role=treegrid]");
  const times = [];
  const end = performance.now() + lasts * 1000;
  let [down, before] = [1, null];
  await new Promise((resolve) => {
    requestAnimationFrame(function step(now) {
      if (before !== null) times.push(now - before);
      before = now;
      view.scrollTop += down * speed;
      if (view.scrollTop <= 0) down = 1;
      if (view.scrollTop + view.clientHeight >= view.scrollHeight) down = -1;
      if (now < end) requestAnimationFrame(step);
      else resolve();
    });
  });
  times.sort((a, b) => a - b);
  const at = (share) => Math.round(times[Math.floor(share * (times.length - 1))] * 10) / 10;
  const late = times.reduce(
    (sum, time) => sum + Math.max(0, Math.round(time / (1000 / 60)) - 1),
    0,
  );
  return {
    frames: times.length,
    dropped: late,
    p50_ms: at(0.5),
    p95_ms: at(0.95),
    worst_ms: at(1),
  };
}

const median = (values) => Math.round(values.sort((a, b) => a - b)[Math.floor(values.length / 2)]);
process.stdout.write(
  `${JSON.stringify(
    {
      first_paint_ms: median(paints.map((paint) => paint.first)),
      cells_ms: median(paints.map((paint) => paint.cells)),
      grid,
      at_rest: resting,
      scroll: {
        ...moving,
        busy_ms_a_frame: Math.round(((after - before) * 10_000) / moving.frames) / 10,
      },
      rows_in_document: await page.locator("[role=row]").count(),
    },
    null,
    2,
  )}\n`,
);
await browser.close();
