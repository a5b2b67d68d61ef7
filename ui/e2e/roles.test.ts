import { expect, inject, test } from "vitest";
import { ask } from "./api.ts";
import { inBrowser, violations } from "./browser.ts";

/** A role of the team: made of verbs that are explained, changed, and deleted. */
const server = inject("server");
const { page } = inBrowser();

const row = (name: string) => page().getByRole("row").filter({ hasText: name });
const dialog = () => page().getByRole("dialog");
const change = async (what: string) => {
  await page().getByRole("button", { name: "Change triage" }).click();
  await page().getByRole("menuitem", { name: what }).click();
  await dialog().waitFor();
};

test("a role is made, changed and deleted", async () => {
  await page().goto("/t/default/admin/roles");
  await row("operator").getByText("built-in").waitFor();
  await page().getByRole("button", { name: "New role" }).click();
  await dialog().getByLabel("Name").fill("triage");
  await dialog().getByLabel("Description").fill("Looks after the night");
  expect(await dialog().getByRole("button", { name: "Create role" }).isDisabled()).toBe(true);
  await dialog().getByLabel("See runs and their tasks").check();
  await dialog().getByLabel("Clear tasks, so that they run again").check();
  expect(await violations(page())).toEqual([]);
  await dialog().getByRole("button", { name: "Create role" }).click();
  await row("triage").getByText("run.clear, run.read").waitFor();

  await change("Edit…");
  await dialog().getByLabel("Read logs").check();
  await dialog().getByLabel("Clear tasks, so that they run again").uncheck();
  await dialog().getByRole("button", { name: "Change role" }).click();
  await row("triage").getByText("log.read, run.read").waitFor();
  const { items } = await ask<{ items: { name: string; verbs: string[] }[] }>(server, "/roles");
  expect(items.at(-1)).toMatchObject({ name: "triage", verbs: ["log.read", "run.read"] });

  await page().goto("/t/default/admin/users");
  await page().getByRole("button", { name: "New user" }).click();
  await dialog().getByLabel("Role").selectOption("triage");
  await page().keyboard.press("Escape");
  await page().goto("/t/default/admin/roles");
  await change("Delete…");
  await dialog().getByRole("button", { name: "Delete role" }).click();
  await row("triage").waitFor({ state: "detached" });
});
