import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { ask, PATIENCE_MS, ran } from "./api.ts";
import { launch } from "./browser.ts";

/** Somebody who may look, and nothing else: a real user, signed in by a real password. */
const server = inject("server");
const PASSWORD = "only looks at things";
const ACTS =
  /^(Add|Remove|Run(?! of)|Pause|Resume|Retry|Clear|Cancel|Mark|Note|New|Resize|Delete|Revoke)\b/;
let browser: Browser;
let page: Page;
let run = "";

beforeAll(async () => {
  run = await ran(server, "invoices");
  await ask(server, "/users", { name: "vera", role: "viewer", password: PASSWORD });
  browser = await launch();
  const context = await browser.newContext({ baseURL: server.url });
  context.setDefaultTimeout(PATIENCE_MS);
  page = await context.newPage();
  await page.goto("/");
  await page.getByLabel("Name").fill("vera");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(/\/t\/default\/overview/);
});

afterAll(() => browser?.close());

test.each([
  ["overview", /DAGs?/],
  ["dags", /hourly_warehouse/],
  ["dags/invoices/grid", /book/],
  ["dags/invoices/runs", /failed/],
  ["runs", /invoices/],
  ["slots", /of 128/],
  ["backfills", /Backfill/],
  ["events", /succeed/],
  ["admin/logs", /After a run ends/],
  ["logs?q=customer", /12 invoices without a/],
])("%s shows a viewer what is there, and offers nothing to do", async (path, shows) => {
  await page.goto(`/t/default/${path}`);
  await page.locator("main").getByText(shows).first().waitFor();
  await expect.poll(offered).toEqual([]);
});

test("a run's buttons say who could press them, and neither they nor the keys do anything", async () => {
  await page.goto(`/t/default/runs/${run}?task=book&map=2`);
  const retry = page.getByRole("button", { name: "Retry", exact: true });
  await retry.waitFor();
  await expect.poll(offered).toEqual([]);
  expect(await retry.getAttribute("title")).toMatch(/operator/);
  await retry.click({ force: true });
  for (const key of ["r", "c"]) await page.keyboard.press(key);
  expect(await page.getByRole("dialog").count()).toBe(0);
});

test("of the administration a viewer has their own tokens, their access and how long logs are kept; the rest tells who has it", async () => {
  await page.goto("/t/default/admin");
  await page.waitForURL(/admin\/tokens/);
  const tabs = page.getByRole("navigation", { name: "Admin sections" });
  await expect
    .poll(() => tabs.getByRole("link").allTextContents())
    .toEqual(["Tokens", "Your access", "Grants", "Retention"]);
  await page.goto("/t/default/admin/users");
  await page
    .getByRole("alert")
    .getByText(/needs the role admin/)
    .waitFor();
  await expect.poll(offered).toEqual([]);
});

test("a page that is forged to ask all the same is refused", async () => {
  const asked: [method: string, path: string, body: unknown][] = [
    ["POST", "/dags/invoices/runs", {}],
    ["POST", "/dags/invoices/pause", {}],
    ["POST", `/runs/${run}/clear`, {}],
    ["POST", `/runs/${run}/cancel`, {}],
    ["POST", `/runs/${run}/mark`, { task_id: "close", state: "success" }],
    ["POST", `/runs/${run}/mark`, { state: "success" }],
    ["PATCH", `/runs/${run}`, { note: "mine" }],
    ["PUT", "/pools/default", { slots: 1 }],
    ["POST", "/users", { name: "mallory", role: "admin" }],
  ];
  const answers = await page.evaluate(async (all) => {
    const statuses: number[] = [];
    for (const [method, path, body] of all) {
      const answer = await fetch(`/api/v1${path}`, {
        method,
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      statuses.push(answer.status);
    }
    return statuses;
  }, asked);
  expect(answers).toEqual(asked.map(() => 403));
  expect(await ask(server, `/runs/${run}`)).toMatchObject({ state: "failed", note: null });
});

/** The names of all that could be pressed to change something. */
async function offered(): Promise<string[]> {
  const found: string[] = [];
  for (const role of ["button", "link", "switch"] as const) {
    for (const each of await page.locator("main").getByRole(role, { disabled: false }).all()) {
      const name = (await each.getAttribute("aria-label")) ?? (await each.textContent()) ?? "";
      if (role === "switch" || (role === "button" && ACTS.test(name.trim()))) found.push(name);
      if (role === "link" && /^Run (?!of )/.test(name)) found.push(name);
    }
  }
  return found;
}
