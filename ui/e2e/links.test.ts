import { beforeAll, expect, inject, test } from "vitest";
import { PATIENCE_MS, ran } from "./api.ts";
import { inBrowser, launch, violations } from "./browser.ts";

/** A link to a run: made on its page, read by somebody without an account, listed, revoked. */
const server = inject("server");
const { page } = inBrowser();
let run = "";
let url = "";

const dialog = () => page().getByRole("dialog");

beforeAll(async () => {
  run = await ran(server, "invoices");
});

test("a link is made on the page of the run, and shown once", async () => {
  await page().goto(`/t/default/runs/${run}`);
  await page().getByRole("button", { name: "Link…" }).click();
  await dialog().getByLabel("Also show the log around each error").check();
  expect(await violations(page())).toEqual([]);
  await dialog().getByRole("button", { name: "Create link" }).click();
  url = (await dialog().locator("code").textContent()) ?? "";
  expect(url).toContain("/linked#hwl_");
  await dialog().getByRole("button", { name: "Done" }).click();
});

test("somebody without an account reads the run, until the link is revoked", async () => {
  const browser = await launch();
  try {
    const stranger = await browser.newPage();
    stranger.setDefaultTimeout(PATIENCE_MS);
    await stranger.goto(url);
    await stranger.getByRole("heading", { name: "invoices" }).waitFor();
    await stranger.getByText("12 invoices without a").first().waitFor(); // of the log
    expect(await violations(stranger)).toEqual([]);
    await stranger.goto(`${server.url}/t/default/runs/${run}`);
    await stranger.waitForURL(/\/login/); // the link is no session

    await page().goto("/t/default/admin/links");
    const row = page()
      .getByRole("row")
      .filter({ hasText: run.slice(0, 8) });
    await row.getByText("the run, with logs").waitFor();
    expect(await violations(page())).toEqual([]);
    await row.getByRole("button", { name: "Revoke" }).click();
    await dialog().getByRole("button", { name: "Revoke link" }).click();
    await row.getByText("revoked").waitFor();
    await stranger.goto(url);
    await stranger.getByRole("alert").getByText("this link is not valid").waitFor();
  } finally {
    await browser.close();
  }
});
