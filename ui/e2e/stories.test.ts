import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { ask, PATIENCE_MS, ran } from "./api.ts";
import { inBrowser, launch } from "./browser.ts";

const server = inject("server");
const { page, complaints } = inBrowser();

test("a run is triggered from the form, and watched until it has ended", async () => {
  await page().goto("/t/default/dags/orders/run");
  await page().getByLabel("country").selectOption("DE");
  await page().getByLabel("limit").fill("many");
  await page().getByRole("button", { name: "Run orders" }).click();
  await page().getByText("Enter a number.").waitFor();
  await page().getByLabel("limit").fill("7");
  await page().getByRole("button", { name: "Run orders" }).click();
  await page().waitForURL(/\/runs\/\w{12}/);
  await page().locator("main").getByText("success", { exact: true }).first().waitFor();
  const run_id = page().url().split("/").at(-1)?.split("?")[0];
  const run = await ask<{ params: unknown }>(server, `/runs/${run_id}`);
  expect(run.params).toMatchObject({ country: "DE", limit: 7, full: false });
});

test("a form is drawn by the schemas of its parameters", async () => {
  await page().goto("/t/default/dags/asked/run");
  await page().getByLabel("shop").selectOption({ label: "Germany" });
  await page().getByLabel("days").fill("32");
  await page().getByRole("button", { name: "Run asked" }).click();
  await page().getByText("Enter a number that is at least 1, at most 31.").waitFor();
  await page().getByLabel("days").fill("31");
  await page().getByLabel("All of it").selectOption("false");
  const period = page().getByRole("group", { name: "Period" });
  await period.getByLabel("day").fill("2026-02-01");
  const mail = page().getByRole("group", { name: "Mail" });
  await mail.getByLabel("to").fill("a@example.com\nb@example.com");
  await mail.getByLabel("note").fill("one\ntwo");
  await page().getByLabel("code").fill("b");
  await page().getByRole("button", { name: "Run asked" }).click();
  await page()
    .getByText(/must be a text that matches/)
    .waitFor();
  expect(complaints.splice(0).join()).toContain("400");
  await page().getByLabel("code").fill("B-2");
  await page().getByRole("button", { name: "Run asked" }).click();
  await page().waitForURL(/\/runs\/\w{12}/);
  const run_id = page().url().split("/").at(-1)?.split("?")[0];
  const run = await ask<{ params: unknown }>(server, `/runs/${run_id}`);
  expect(run.params).toEqual({
    shop: "de",
    days: 31,
    full: false,
    day: "2026-02-01",
    until: "2026-01-31T05:00:00Z",
    to: ["a@example.com", "b@example.com"],
    note: "one\ntwo",
    code: "B-2",
  });
});

test("what would happen is said before it does", async () => {
  await page().goto("/t/default/dags/orders/run");
  await page().getByLabel("Logical date").fill("2026-09-20T08:00:00");
  await page().getByRole("button", { name: "Preview" }).click();
  await page()
    .getByText(/^One run of \d+ tasks? for Sun,? 20 Sep/)
    .waitFor();
  const { items } = await ask<{ items: { logical_date: string }[] }>(server, "/runs?dag_id=orders");
  expect(items.filter((run) => run.logical_date.startsWith("2026-09-20"))).toEqual([]);
});

test("a backfill names its runs before it makes them", async () => {
  await page().goto("/t/default/backfills");
  await page().getByRole("button", { name: "New backfill" }).click();
  await page().getByLabel("DAG").fill("orders");
  await page().getByLabel("From").fill("2026-09-01");
  await page().getByLabel("To").fill("2026-09-03");
  await page().getByRole("button", { name: "Preview runs" }).click();
  await page().getByText("2026-09-02 06:00:00 UTC").waitFor();
  await page().getByRole("button", { name: "Start 3 runs" }).click();
  await page().getByText("Queued 3 runs of orders").waitFor();
});

test("a backfill shows the runs that its dates have, and runs them again when asked", async () => {
  const { backfill_id } = await ask<{ backfill_id: string }>(server, "/dags/orders/backfills", {
    from: "2026-08-01",
    to: "2026-08-02",
  });
  const left = async () => {
    const made = await ask<{ done: number; total: number }>(server, `/backfills/${backfill_id}`);
    return made.total - made.done;
  };
  await expect.poll(left, { timeout: PATIENCE_MS }).toBe(0);
  await page().goto("/t/default/backfills");
  await page().getByRole("button", { name: "New backfill" }).click();
  await page().getByLabel("DAG").fill("orders");
  await page().getByLabel("From").fill("2026-08-01");
  await page().getByLabel("To").fill("2026-08-03");
  await page().getByRole("button", { name: "Preview runs" }).click();
  await page().getByText("1 new run, 2 dates left out").waitFor();
  await page().getByLabel("all dates, also those that succeeded").check();
  await page().getByText("1 new run, 2 runs again").waitFor();
  await page().getByLabel("only dates without a run").check();
  await page().getByRole("button", { name: "Start 1 run" }).click();
  await page().getByText("2 dates left out, with a run already: 2 success").first().waitFor();
});

test("a run that somebody else starts appears by itself", async () => {
  await page().goto("/t/default/dags/hourly_warehouse/runs");
  await page().getByText("live", { exact: true }).waitFor();
  const { run_id } = await ask<{ run_id: string }>(server, "/dags/hourly_warehouse/runs", {});
  const row = page().getByRole("row").filter({ hasText: run_id });
  await row.waitFor();
  await row.getByText("success", { exact: true }).waitFor();
});

test("a DAG is paused and goes on, in the list as on its page", async () => {
  await page().goto("/t/default/dags");
  await page().getByRole("switch", { name: "hourly_warehouse: on" }).click();
  await page().getByRole("switch", { name: "hourly_warehouse: paused" }).waitFor();
  await page().getByRole("link", { name: "hourly_warehouse", exact: true }).click();
  await page().getByRole("button", { name: "Resume" }).click();
  await page().getByRole("button", { name: "Pause" }).waitFor();
});

test("what was just done is undone, by its button or by its key", async () => {
  const paused = async () =>
    (await ask<{ paused_at: string | null }>(server, "/dags/mended")).paused_at !== null;
  await page().goto("/t/default/dags/mended/runs");
  await page().getByRole("button", { name: "Pause" }).click();
  await page().getByRole("button", { name: "Resume" }).waitFor();
  await expect.poll(paused).toBe(true);
  await page().getByRole("button", { name: "Undo" }).click();
  await page().getByRole("button", { name: "Pause" }).waitFor();
  await expect.poll(paused).toBe(false);
  const run = await ran(server, "orders");
  await page().goto(`/t/default/runs/${run}`);
  await page().getByRole("button", { name: "Note" }).click();
  await page().getByRole("dialog").getByRole("textbox").fill("wrong run");
  await page().getByRole("button", { name: "Save note" }).click();
  await page().getByRole("blockquote").getByText("wrong run").waitFor();
  await page().keyboard.press("z");
  await page().getByRole("blockquote").waitFor({ state: "detached" });
  const note = async () => (await ask<{ note: string | null }>(server, `/runs/${run}`)).note;
  await expect.poll(note).toBeNull();
});

test("everything is reached by keys", async () => {
  await page().goto("/t/default/overview");
  await page().locator("main h1").waitFor();
  await page().keyboard.press("Tab");
  await page().keyboard.press("Enter"); // skip to the content
  await page().keyboard.press("g");
  await page().keyboard.press("d");
  await page().waitForURL(/\/dags$/);
  await page().keyboard.press("?");
  await page().getByRole("dialog", { name: "Keys" }).waitFor();
  await page().keyboard.press("Escape");
  await page().getByRole("dialog").waitFor({ state: "detached" });
  await page().keyboard.press("/");
  await page().getByRole("combobox").waitFor();
  await page().keyboard.type("invo");
  await page().getByRole("option", { name: "invoices DAG" }).waitFor();
  await page().keyboard.press("Enter");
  await page().waitForURL(/\/dags\/invoices/);
});

test("a theme is chosen, and stays", async () => {
  await page().goto("/t/default/dags");
  await page().getByRole("button", { name: /^You/ }).click();
  await page().getByRole("menuitemcheckbox", { name: "Dark" }).click();
  await page().reload();
  const scheme = () =>
    page().evaluate(() => getComputedStyle(document.documentElement).colorScheme);
  await expect.poll(scheme).toBe("dark");
  await page().evaluate(() => localStorage.removeItem("headway.theme"));
});

test("one's own password is set, changed, and signs in", async () => {
  const form = page().getByRole("dialog", { name: "Your password" });
  const change = async (current: string, password: string) => {
    await page().getByRole("button", { name: /^You/ }).click();
    await page().getByRole("menuitem", { name: "Password" }).click();
    await form.getByLabel("Current password").fill(current);
    await form.getByLabel("New password", { exact: true }).fill(password);
    await form.getByLabel("Confirm new password").fill(password);
    await form.getByRole("button", { name: "Change password" }).click();
  };
  await page().goto("/t/default/dags");
  await change("", "correct horse battery");
  await form.waitFor({ state: "detached" });
  await change("correct horse battery", "staple of the horse");
  await form.waitFor({ state: "detached" });
  const answer = await fetch(`${server.url}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: server.url },
    body: JSON.stringify({ name: "admin", password: "staple of the horse" }),
  });
  expect(answer.status).toBe(200);
});

test("a token is shown once, and revoked", async () => {
  await page().goto("/t/default/admin/tokens");
  await page().getByRole("button", { name: "New token" }).click();
  await page().getByLabel("Name").fill("ci");
  await page().getByRole("button", { name: "Create token" }).click();
  const secret = await page().getByRole("dialog").locator("code").textContent();
  const probe = await fetch(`${server.url}/api/v1/dags`, {
    headers: { authorization: `Bearer ${secret}` },
  });
  expect(probe.status).toBe(200);
  await page().keyboard.press("Escape");
  await page().getByRole("dialog").waitFor({ state: "detached" });
  expect(await page().content()).not.toContain(secret);
  await page().getByRole("button", { name: "Revoke" }).click();
  await page().getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await page().getByText("revoked", { exact: true }).waitFor();
});

test("what a user writes is shown, never run", async () => {
  const hostile = `<img src=x onerror="window.ran=1"><script>window.ran=1</script>`;
  const file = `from headway import dag, task\n\n\n@dag(tags=[${JSON.stringify(hostile)}], description=${JSON.stringify(hostile)}, owner=${JSON.stringify(hostile)})\ndef scripted(words: str = ${JSON.stringify(hostile)}):\n    @task\n    def fail() -> None:\n        raise ValueError(${JSON.stringify(hostile)})\n\n    fail()\n\n\nscripted()\n`;
  writeFileSync(join(server.dags, "scripted.py"), file);
  await page().goto("/t/default/dags?q=scripted");
  await page().getByRole("link", { name: hostile }).first().waitFor();
  for (const path of ["dags/scripted/run", "dags/scripted/runs"]) {
    await page().goto(`/t/default/${path}`);
    await page().getByText(hostile).first().waitFor();
  }
  expect(await page().evaluate(() => "ran" in window)).toBe(false);
});

test("who is not signed in is led to the sign-in, and a link works once", async () => {
  const browser = await launch();
  try {
    const stranger = await browser.newPage({ baseURL: server.url });
    await stranger.goto("/t/default/runs?only=failed");
    await stranger.getByRole("button", { name: "Sign in" }).waitFor();
    expect(new URL(stranger.url()).searchParams.get("next")).toBe("/t/default/runs?only=failed");
    const { url } = await ask<{ url: string }>(server, "/login-links", {});
    await stranger.goto(url);
    await stranger.waitForURL(/\/overview/);
    await stranger.context().clearCookies();
    await stranger.goto("/login");
    await stranger.goto(url);
    await stranger.getByRole("alert").waitFor();
    expect(stranger.url()).not.toContain("#");
  } finally {
    await browser.close();
  }
});

test("a link signs in although the server is too busy for a moment", async () => {
  const browser = await launch();
  try {
    const stranger = await browser.newPage({ baseURL: server.url });
    const refused: string[] = [];
    for (const path of ["**/api/v1/session/link", "**/api/v1/session"])
      await stranger.route(path, (route) => {
        const isFirst = !refused.includes(path);
        refused.push(path);
        const detail = "the database does not answer";
        const json = { type: "about:blank", title: "Unavailable", status: 503, detail };
        return isFirst ? route.fulfill({ status: 503, json }) : route.continue();
      });
    const { url } = await ask<{ url: string }>(server, "/login-links", {});
    await stranger.goto(url);
    await stranger.waitForURL(/\/overview/, { timeout: PATIENCE_MS });
    await stranger.locator("main h1").waitFor();
    expect(new Set(refused).size).toBe(2);
  } finally {
    await browser.close();
  }
});
