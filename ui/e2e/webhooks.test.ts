import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, inject, test, vi } from "vitest";
import { ask, PATIENCE_MS } from "./api.ts";
import { inBrowser, violationsInBoth } from "./browser.ts";

/** A webhook: made, called with a signature, looked at, replayed, given another secret, and deleted. */
const server = inject("server");
const { page } = inBrowser();

const SOURCE = `from headway import Asset, dag, task

@dag(schedule=Asset("hooked"))
def follows_hook():
    @task
    def only():
        pass
    only()

follows_hook()
`;

beforeAll(async () => {
  writeFileSync(join(server.dags, "hooked.py"), SOURCE);
  await vi.waitFor(() => ask(server, "/dags/follows_hook"), {
    timeout: PATIENCE_MS,
    interval: 200,
  });
});

const row = (name: string) => page().getByRole("row").filter({ hasText: name });
const dialog = () => page().getByRole("dialog");

const choose = (item: string) => chooseOf("erp", item);

async function chooseOf(name: string, item: string): Promise<void> {
  await page()
    .getByRole("button", { name: `Change ${name}` })
    .click();
  await page().getByRole("menuitem", { name: item }).click();
}

async function send(secret: string, body: string): Promise<number> {
  const { url } = await ask<{ url: string }>(server, "/webhooks/erp");
  const moment = Math.floor(Date.now() / 1000);
  const signature = createHmac("sha256", secret).update(`${moment}.${body}`).digest("hex");
  const { status } = await fetch(`${server.url}${new URL(url).pathname}`, {
    method: "POST",
    headers: { "x-headway-signature": `t=${moment},v1=${signature}` },
    body,
  });
  return status;
}

async function secretShown(): Promise<string> {
  const shown = dialog().locator("code");
  await shown.waitFor();
  const secret = (await shown.textContent()) ?? "";
  await dialog().getByRole("button", { name: "Close" }).click();
  return secret;
}

test("a webhook is made, called, replayed, given another secret, and deleted", async () => {
  await page().goto("/t/default/admin/webhooks");
  await page().getByRole("button", { name: "New webhook" }).click();
  await dialog().getByLabel("Name").fill("erp");
  await dialog().getByLabel("Asset", { exact: true }).fill("hooked");
  await dialog().getByLabel("Extra from the body").fill("rows");
  await dialog().getByText("Write each line as name=path").waitFor();
  await dialog().getByLabel("Extra from the body").fill("rows=data.rows");
  expect(await violationsInBoth(page())).toEqual([]);
  await dialog().getByRole("button", { name: "Create webhook" }).click();
  const secret = await secretShown();
  expect(secret).toMatch(/^hws_/);
  expect(await page().content()).not.toContain(secret);
  await row("erp").getByRole("link", { name: "hooked" }).waitFor();

  expect(await send(secret, '{"data": {"rows": 7}}')).toBe(200);
  expect(await send("hws_wrong", "{}")).toBe(404);
  await choose("Deliveries…");
  await dialog().getByText("its signature is wrong").waitFor();
  await dialog().getByText("accepted: made").waitFor();
  expect(await violationsInBoth(page())).toEqual([]);
  await dialog().getByRole("button", { name: "Replay" }).click();
  await dialog()
    .getByText(/replay of \d+/)
    .waitFor();
  await dialog().getByRole("button", { name: "Close" }).click();
  const { items } = await ask<{ items: { extra: unknown }[] }>(
    server,
    "/assets/events?asset=hooked",
  );
  expect(items.map(({ extra }) => extra)).toEqual([{ rows: 7 }, { rows: 7 }]);

  await choose("New secret…");
  await dialog().getByLabel("How long the present secret stays valid").selectOption("0");
  await dialog().getByRole("button", { name: "Create secret" }).click();
  const next = await secretShown();
  expect(await send(secret, "{}")).toBe(404);
  expect(await send(next, '{"data": {"rows": 8}}')).toBe(200);
  await choose("Disable");
  await row("erp").getByText("disabled").waitFor();
  expect(await send(next, '{"data": {"rows": 9}}')).toBe(404);
  await choose("Delete…");
  await dialog().getByRole("button", { name: "Delete webhook" }).click();
  await page().getByText("No webhooks yet").waitFor();
});

test("an outbound webhook is made, tried, changed, disabled, and deleted", async () => {
  await page().goto("/t/default/admin/outbound");
  await page().getByRole("button", { name: "New outbound webhook" }).first().click();
  await dialog().getByLabel("Name").fill("planner");
  await dialog().getByLabel("URL").fill("http://127.0.0.1:9/");
  await dialog().getByLabel("DAGs").fill("none_*");
  expect(await violationsInBoth(page())).toEqual([]);
  await dialog().getByRole("button", { name: "Create outbound webhook" }).click();
  expect(await secretShown()).toMatch(/^hws_/);

  await chooseOf("planner", "Send a ping");
  await chooseOf("planner", "Deliveries…");
  await dialog().getByText("no public address").waitFor();
  expect(await violationsInBoth(page())).toEqual([]);
  await dialog().getByRole("button", { name: "Send again" }).click();
  await page().keyboard.press("Escape");
  await row("planner").getByText("fails: 127.0.0.1 has no public address").waitFor();

  await chooseOf("planner", "Edit…");
  expect(await dialog().getByLabel("DAGs").inputValue()).toBe("none_*");
  await dialog().getByLabel("DAGs").fill("orders, none_*");
  for (const state of ["success", "failed", "cancelled", "skipped"])
    await dialog().getByLabel(state).uncheck();
  const save = dialog().getByRole("button", { name: "Save outbound webhook" });
  expect(await save.isDisabled()).toBe(true); // of no run at all nothing could be told
  await dialog().getByLabel("Partitions that are overdue").check();
  expect(await save.isDisabled()).toBe(false);
  await dialog().getByLabel("failed").check();
  await dialog().getByLabel("Send the parameters").check();
  expect(await violationsInBoth(page())).toEqual([]);
  await save.click();
  await row("planner").getByText("orders, none_*").waitFor();
  await row("planner").getByText("failed, overdue partitions").waitFor();
  expect(await ask(server, "/outbound-webhooks/planner")).toMatchObject({
    url: "http://127.0.0.1:9/",
    dags: ["orders", "none_*"],
    states: ["failed"],
    events: ["run.ended", "partition.overdue"],
    with_params: true,
  });
  const { items } = await ask<{ items: { action: string; words: string }[] }>(
    server,
    "/audit?limit=1&action=outbound.change_outbound_webhook",
  );
  expect(items[0]?.words).toContain("planner");
  await chooseOf("planner", "Disable");
  await row("planner").getByText("disabled").waitFor();
  await chooseOf("planner", "Delete…");
  await dialog().getByRole("button", { name: "Delete outbound webhook" }).click();
  await page().getByText("No outbound webhooks yet").waitFor();
});
