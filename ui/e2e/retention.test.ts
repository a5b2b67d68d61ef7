import { expect, inject, test } from "vitest";
import { ask } from "./api.ts";
import { inBrowser, violations } from "./browser.ts";

/** For how long the team keeps runs and logs, as its admin changes it. */
const server = inject("server");
const { page } = inBrowser();

const days = () => page().getByLabel("Keep logs for (days)");
const local = () => page().getByLabel("Keep on this machine for (days)");
const save = () => page().getByRole("button", { name: "Save log retention" }).click();

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

test("runs are kept for as long as an admin says, once it was said what that deletes", async () => {
  await page().goto("/t/default/admin/logs");
  const runs = page().getByRole("region", { name: "Runs" });
  await runs.getByText("90 days").first().waitFor();
  const days = runs.getByLabel("Keep runs for (days)");
  await days.fill("6");
  await runs.getByText("7 or more").waitFor();
  await days.fill("30");
  await runs.getByRole("button", { name: "Save run retention" }).click();
  await runs.locator("strong").getByText("30 days").waitFor(); // nothing is old enough: nothing is asked
  expect(await ask(server, "/run-retention")).toMatchObject({ days: 30 });
  await runs.getByLabel("Keep runs for (days)").fill("");
  await runs.getByRole("button", { name: "Save run retention" }).click();
  await runs.locator("strong").getByText("90 days").waitFor();
  expect(await ask(server, "/run-retention")).toMatchObject({ days: null });
});

test("an admin sees how many runs a shorter time deletes before it holds", async () => {
  await page().route("**/api/v1/run-retention", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), removes: 12 } });
  });
  await page().goto("/t/default/admin/logs");
  const runs = page().getByRole("region", { name: "Runs" });
  await runs.getByLabel("Keep runs for (days)").fill("10");
  await runs.getByRole("button", { name: "Save run retention" }).click();
  const dialog = page().getByRole("dialog");
  await dialog.getByText("12 runs that ended more than 10 days ago will be deleted").waitFor();
  expect(await violations(page())).toEqual([]);
  await dialog.getByRole("button", { name: "Cancel" }).click();
  expect(await ask(server, "/run-retention")).toMatchObject({ days: null });
  await page().unroute("**/api/v1/run-retention");
});
