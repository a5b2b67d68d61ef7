import { beforeAll, expect, inject, test } from "vitest";
import { ran } from "./api.ts";
import { inBrowser, violations } from "./browser.ts";

/** A text in the logs of all runs: found, followed to its line, narrowed, stopped. */
const server = inject("server");
const { page, complaints } = inBrowser();
const SAYS = "month 3: 12 invoices without a customer";
let run = "";

beforeAll(async () => {
  await ran(server, "orders");
  run = await ran(server, "invoices");
});

const matches = () => page().getByRole("region", { name: "Matches" });
const status = () => page().locator("main [role=status]").first();

async function ask(text: string): Promise<void> {
  await page().getByRole("searchbox").first().fill(text);
  await page().keyboard.press("Enter");
}

test("what a task printed is found, and leads to its line in its log", async () => {
  await page().goto("/t/default/dags");
  await page().getByRole("table", { name: "DAGs" }).waitFor();
  await page().keyboard.press("g");
  await page().keyboard.press("l");
  await page().getByText("Search in all logs").waitFor();
  await ask("INVOICES without");
  await page().waitForURL((url) => url.searchParams.get("q") === "INVOICES without");
  const found = matches().locator("section").filter({ hasText: run }).first();
  const second = found.getByRole("region", { name: "book[2], attempt 2" });
  await expect.poll(() => second.locator("mark").first().textContent()).toBe("invoices without");
  await expect.poll(() => status().textContent()).toMatch(/All logs searched/);
  const line = second.getByRole("link").last();
  const number = (await line.textContent())?.match(/^\d+/)?.[0] ?? "";
  await line.click();
  await page().waitForURL(/\/log\?/);
  const at = new URL(page().url()).searchParams;
  expect([at.get("map"), at.get("try"), at.get("line")]).toEqual(["2", "2", number]);
  const marked = page().locator("[data-marked=true]");
  await expect.poll(() => marked.textContent()).toContain(SAYS);
  await page().goBack();
  await second.waitFor();
});

test("case, expression and filters are in the address, and it alone says what is shown", async () => {
  await page().goto("/t/default/logs?q=INVOICES%20without");
  await matches().getByRole("link").first().waitFor();
  await page().getByRole("button", { name: "Match case" }).click();
  await page().getByText("No matches for").waitFor();
  await page().getByRole("button", { name: "Search in all logs" }).click();
  await matches().getByRole("link").first().waitFor();
  await page().getByRole("button", { name: "Regex" }).click();
  await ask("month \\d: 1[2-3] ");
  await expect.poll(() => matches().locator("mark").first().textContent()).toBe("month 3: 12 ");
  await page().getByPlaceholder("DAG…").fill("orders");
  await page().getByText("No matches for").waitFor();
  expect(Object.fromEntries(new URL(page().url()).searchParams)).toEqual({
    q: "month \\d: 1[2-3] ",
    regex: "true",
    dag: "orders",
  });
});

test("an expression that is none says so, and the text can be meant as it stands", async () => {
  await page().goto("/t/default/logs?q=(3&regex=true");
  await page().getByRole("alert").getByText("is not a valid regular expression").waitFor();
  await page().getByText("live", { exact: true }).waitFor(); // now what can change is read again
  expect(await violations(page())).toEqual([]);
  expect(complaints.splice(0)).toEqual([expect.stringContaining("400")]); // asked once
  await page().getByRole("button", { name: "Search as plain text" }).click();
  await page().getByText("No matches for “(3”").waitFor();
});

test("a search that takes long can be stopped, and goes on", async () => {
  const asked: (() => void)[] = [];
  await page().route("**/api/v1/logs/search*", (route) => {
    asked.push(() => route.continue().catch(() => undefined)); // a request that was given up
  });
  await page().goto("/t/default/logs?q=customer");
  await expect.poll(() => asked.length).toBe(1);
  expect(await status().textContent()).toContain("Searching…");
  await page().getByRole("button", { name: "Stop" }).click();
  await page().getByText("Stopped. No matches so far.").waitFor();
  await page().unroute("**/api/v1/logs/search*");
  for (const answer of asked) answer();
  await page().getByRole("button", { name: "Continue" }).click();
  await matches().getByRole("link").first().waitFor();
});

test("a search that breaks off keeps what it found, and goes on from there", async () => {
  let broken = true;
  await page().route("**/api/v1/logs/search*", (route) => {
    const url = route.request().url();
    if (broken && url.includes("cursor=")) return route.abort();
    return route.continue({ url: broken ? url.replace("limit=100", "limit=1") : url });
  });
  await page().goto("/t/default/logs?q=customer");
  await page().getByText("The search failed.").waitFor();
  expect(await matches().getByRole("link").filter({ hasText: "customer" }).count()).toBe(1);
  broken = false;
  await page().getByRole("button", { name: "Continue" }).click();
  await expect.poll(() => matches().getByRole("link").count()).toBeGreaterThan(1);
  await page().unroute("**/api/v1/logs/search*");
  expect(complaints.splice(0).join()).toContain("ERR_FAILED");
});

test("a run's page leads to a search in its logs alone", async () => {
  await ran(server, "invoices");
  await page().goto(`/t/default/runs/${run}`);
  const views = page().getByRole("navigation", { name: "Views of this run" });
  await views.getByRole("link", { name: "Logs" }).click();
  await page().getByText("Search in all logs of this run").waitFor();
  await ask("customer");
  await matches().getByRole("link").first().waitFor();
  await expect.poll(() => status().textContent()).toMatch(/of 1 run\. All logs searched/);
});
