import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { expect, inject, test } from "vitest";
import { ran } from "./api.ts";
import { launch, signedIn } from "./browser.ts";

const BUILT = fileURLToPath(new URL("../../src/headway/ui_dist/", import.meta.url));
const BUDGET_BYTES = 400_000;

test("what the first page needs stays small", () => {
  const html = readFileSync(`${BUILT}index.html`, "utf8");
  const files = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.(?:js|css))"/g)];
  const sizes = files.map(([, file]) => statSync(`${BUILT}${file}.gz`).size);
  expect(sizes.length).toBeGreaterThan(1);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(BUDGET_BYTES);
});

test("nothing in the page needs a looser policy: no script, style or handler of its own", () => {
  const html = readFileSync(`${BUILT}index.html`, "utf8");
  expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/);
});

test("a page with an empty cache stays within its bytes, and asks for nothing twice", async () => {
  const server = inject("server");
  const run = await ran(server, "invoices");
  const browser = await launch();
  try {
    const storageState = await (await signedIn(browser, server)).storageState();
    for (const path of [
      "overview",
      "dags",
      "dags/invoices/grid",
      "dags/invoices/graph",
      `runs/${run}`,
    ]) {
      const { bytes, asked } = await weighed(browser, { baseURL: server.url, storageState }, path);
      const again = asked.filter((each, at) => asked.indexOf(each) < at);
      expect({ path, again }).toEqual({ path, again: [] });
      expect(bytes, path).toBeGreaterThan(50_000);
      expect(bytes, path).toBeLessThan(BUDGET_BYTES);
    }
  } finally {
    await browser.close();
  }
});

/** What a page loads until the stream of changes has told where it begins, and a moment longer. */
async function weighed(
  browser: Browser,
  options: Parameters<Browser["newContext"]>[0],
  path: string,
): Promise<{ bytes: number; asked: string[] }> {
  const context = await browser.newContext({ ...options, serviceWorkers: "block" });
  const page = await context.newPage();
  const devtools = await context.newCDPSession(page);
  await devtools.send("Network.enable");
  const asked: string[] = [];
  let bytes = 0;
  devtools.on("Network.loadingFinished", (each) => {
    bytes += each.encodedDataLength;
  });
  page.on("request", (request) => {
    if (request.url().includes("/api/")) asked.push(request.url());
  });
  await page.goto(`/t/default/${path}`);
  await page.getByText("live", { exact: true }).waitFor();
  await page.waitForLoadState("load");
  await page.locator("[role=status][aria-label=Loading]").waitFor({ state: "detached" });
  await page.waitForTimeout(1_000); // what would be asked again is asked by then: Paced waits for less
  await context.close();
  return { bytes, asked };
}
