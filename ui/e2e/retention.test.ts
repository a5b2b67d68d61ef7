import { expect, inject, test } from "vitest";
import { ask } from "./api.ts";
import { inBrowser, violations } from "./browser.ts";

/** For how long the team keeps logs, as its admin changes it. */
const server = inject("server");
const { page } = inBrowser();

const days = () => page().getByLabel("Keep logs for (days)");
const local = () => page().getByLabel("Keep on this machine for (days)");
const save = () => page().getByRole("button", { name: "Save" }).click();

test("logs are kept for as long as an admin says, and that is undone", async () => {
  await page().goto("/t/default/admin/logs");
  await days().fill("0");
  await page().getByText("Enter a whole number of days").waitFor();
  await days().fill("30");
  await local().fill("31");
  await page().getByText("This cannot be longer than logs are kept: 30 days.").waitFor();
  expect(await violations(page())).toEqual([]);
  await local().fill("7");
  await save();
  await page().locator("main").getByText("for 30 days").waitFor();
  expect(await ask(server, "/log-retention")).toMatchObject({ days: 30, local_days: 7 });
  await page().getByRole("button", { name: "Undo" }).click();
  await page().locator("main strong").getByText("for as long as the run").waitFor();
  expect(await ask(server, "/log-retention")).toMatchObject({ days: null, local_days: null });
});
