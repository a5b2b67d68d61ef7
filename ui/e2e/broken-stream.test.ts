import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page, Request } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ended, PATIENCE_MS } from "./api.ts";
import { launch, signedIn, violationsInBoth } from "./browser.ts";
import { begin, gates, open } from "./gate.ts";
import { type Server, serve } from "./server.ts";

/** What a page shows when its stream of changes is cut: calmly what it knows, then what is so. */
let folder: string;
let browser: Browser;
let page: Page;
let server: Server;
let stop: () => Promise<void>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "headway-broken-"));
  mkdirSync(join(folder, "dags"));
  [server, stop] = await serve(folder);
  await gates(server);
  browser = await launch();
  const context = await signedIn(browser, server, { viewport: { width: 1440, height: 900 } });
  context.setDefaultTimeout(PATIENCE_MS);
  page = await context.newPage();
});

afterAll(async () => {
  await browser?.close();
  await stop?.();
  rmSync(folder, { recursive: true, force: true });
});

test("the server is stopped and started again: the page stays, goes on, and ends right", async () => {
  const run = await begin(server, "chained", "stop");
  await page.goto("/t/default/dags/chained/graph");
  await liveness("live");
  await box("first", "running");
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  let stream: Request | null = null;
  page.on("request", (request) => {
    if (new URL(request.url()).pathname.endsWith("/stream")) stream = request;
  });

  await stop();
  await liveness("unreachable");
  await page.getByText("Server unreachable, retrying.").waitFor();
  await box("first", "[a-z ]+"); // a server that stops lets go of what it runs
  expect(await page.getByRole("alert").count()).toBe(0);

  open(server, "stop", "first");
  open(server, "stop", "second");
  [server, stop] = await serve(folder, new URL(server.url).port);
  await liveness("live");
  await ended(server, run);
  await box("third", "success");
  expect(await position(stream)).toMatch(/./);
  expect(errors).toEqual([]);
});

test("only the stream is refused: the page polls, and hears what it missed once it is back", async () => {
  const run = await begin(server, "chained", "refused");
  await page.goto("/t/default/dags/chained/gantt");
  await liveness("live");
  await page.route("**/api/v1/stream*", (route) => route.abort());
  // The list of runs follows something else: it asks for a stream of its own, and gets none.
  await page.getByRole("link", { name: "Runs", exact: true }).last().click();
  await page.getByRole("link", { name: "Graph", exact: true }).click();
  await liveness("polling");
  await box("first", "running");
  open(server, "refused", "first");
  await box("second", "running");
  await page.unroute("**/api/v1/stream*");
  await liveness("live");
  open(server, "refused", "second");
  await ended(server, run);
  await box("third", "success");
});

test("a page whose files do not come is loaded when the server is back, or has those of another build", async () => {
  await page.goto("/t/default/overview");
  await liveness("live");
  const there = new URL(server.url).port;
  await stop();
  await page.getByRole("link", { name: "Slots", exact: true }).click();
  await page.locator("main").getByText("Server unreachable, retrying").waitFor();
  [server, stop] = await serve(folder, there);
  await page.getByRole("heading", { name: "Slots" }).waitFor();
  await page.getByText("Server unreachable, retrying").waitFor({ state: "detached" });

  // Another build has no file of that name; the page that is loaded anew asks for those that there are.
  let asked = 0;
  await page.route("**/assets/Timeline-*.js", (route) => {
    asked += 1;
    return asked === 1 ? route.fulfill({ status: 404, body: "" }) : route.continue();
  });
  await page.getByRole("link", { name: "Timeline", exact: true }).click();
  await page.getByRole("heading", { name: "Timeline" }).waitFor();
  expect(asked).toBe(2);
});

test("a page that is opened while the server is away says so, and opens when it is back", async () => {
  const context = await signedIn(browser, server, { serviceWorkers: "allow" });
  context.setDefaultTimeout(PATIENCE_MS);
  const known = await context.newPage();
  await known.goto("/t/default/overview");
  await known.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await known.close();
  const there = new URL(server.url).port;
  await stop();
  const opened = await context.newPage(); // as a tab that was discarded
  await opened.goto("/t/default/slots");
  await opened.getByRole("heading", { name: "Server unreachable, retrying" }).waitFor();
  expect(await violationsInBoth(opened)).toEqual([]);
  [server, stop] = await serve(folder, there);
  await opened.getByRole("heading", { name: "Slots" }).waitFor();
  expect(new URL(opened.url()).pathname).toBe("/t/default/slots");
  await context.close();
});

async function liveness(word: "live" | "polling" | "unreachable"): Promise<void> {
  await page.getByRole("status").getByText(word, { exact: true }).waitFor();
}

/** Where the stream was asked to go on: the browser says so itself, or the page does. */
async function position(stream: Request | null): Promise<string> {
  const headers = (await stream?.allHeaders()) ?? {};
  const asked = new URL(stream?.url() ?? "").searchParams.get("last_event_id");
  return headers["last-event-id"] ?? asked ?? "";
}

/** The task's box in the graph says so. */
async function box(task: string, state: string): Promise<void> {
  const name = new RegExp(`^${task} ?, ${state}`);
  await page.locator("main").getByRole("button", { name }).waitFor();
}
