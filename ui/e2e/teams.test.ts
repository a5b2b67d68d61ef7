import { afterAll, expect, inject, test } from "vitest";
import { inBrowser, violations, widthOf } from "./browser.ts";

/** A platform admin makes a team, goes there and back, changes what it may use, and deletes it. */
const server = inject("server");
const { page, complaints } = inBrowser();

const row = (name: string) => page().getByRole("row").filter({ hasText: name });
const dialog = () => page().getByRole("dialog");
const press = (name: string) => dialog().getByRole("button", { name, exact: true }).click();
const change = (name: string) => page().getByRole("button", { name: `Change ${name}` });

afterAll(async () => {
  const headers = { authorization: `Bearer ${server.token}` };
  await fetch(`${server.url}/api/v1/teams/marketing`, { method: "DELETE", headers });
});

test("a team is made, and its agents' token is shown once", async () => {
  await page().goto("/t/default/admin/teams");
  await row("default").waitFor();
  await page().getByRole("button", { name: "New team" }).click();
  await dialog().getByLabel("Name").fill("marketing");
  await dialog().getByLabel("Title").fill("Marketing and sales");
  await dialog().getByLabel("Slots").fill("-1");
  await dialog().getByText("Enter a whole number, or leave empty.").waitFor();
  await dialog().getByLabel("Slots").fill("2");
  await dialog().getByLabel("Weight").fill("2");
  expect(await violations(page())).toEqual([]);
  await press("Create team");
  await dialog().getByText("Token for the agents of marketing").waitFor();
  await press("Close");
  await row("marketing").getByText("Marketing and sales").waitFor();
});

test("the switch leads to the other team, which shows its own things, and back", async () => {
  await page().goto("/t/default/dags");
  await page().getByText("hourly_warehouse").first().waitFor();
  await page().getByRole("button", { name: "Team default: change" }).click();
  await page().getByRole("menuitem", { name: "marketing · admin" }).click();
  await page().waitForURL(/\/t\/marketing\/overview/);
  await page().goto("/t/marketing/dags");
  await page().getByText("No DAGs yet").waitFor();
  await page().getByText("Your other teams: default.").waitFor();
  await page().goto("/t/marketing/admin/users");
  await page().getByText("Team marketing").waitFor();
  await page().getByText("live", { exact: true }).waitFor(); // the stream is of this team, too
  await page().goBack();
  await page().goBack();
  await page().getByRole("link", { name: "DAGs" }).click();
  await page().getByText("No DAGs yet").waitFor();

  await page().setViewportSize({ width: 390, height: 844 });
  await page().getByRole("button", { name: "More" }).click();
  await page().getByRole("menuitem", { name: "default · admin" }).click();
  await page().waitForURL(/\/t\/default\/overview/);
  expect(await widthOf(page())).toBe(390);
  await page().setViewportSize({ width: 1440, height: 900 });
});

test("a team that one is not in is refused, with a way back", async () => {
  await page().goto("/t/finance/dags");
  await page().getByText("You cannot see this page").waitFor();
  expect(complaints.splice(0).join()).toContain("403");
  await page().getByRole("link", { name: "Home" }).click();
  await page().waitForURL(/\/t\/default\/overview/);
});

test("what a team may use is changed, and its end is told exactly before it comes", async () => {
  await page().goto("/t/default/admin/teams");
  await change("marketing").click();
  await page().getByRole("menuitem", { name: "Edit…" }).click();
  await dialog().getByLabel("Slots").fill("3");
  await press("Save");
  await row("marketing").getByText("3", { exact: true }).waitFor();

  await change("marketing").click();
  await page().getByRole("menuitem", { name: "Limits…" }).click();
  await dialog().getByText("0 now, no limit").first().waitFor();
  await dialog().getByLabel("Runs that have not ended").fill("many");
  await press("Save");
  await dialog().getByText("Enter a whole number, or leave empty.").waitFor();
  await dialog().getByLabel("Runs that have not ended").fill("1000");
  expect(await violations(page())).toEqual([]);
  await press("Save");
  await dialog().waitFor({ state: "detached" });
  await page().goto("/t/marketing/slots");
  await page().getByText("0 of 1,000").waitFor();
  await page().goto("/t/default/admin/teams");

  await change("marketing").click();
  await page().getByRole("menuitem", { name: "Delete…" }).click();
  await dialog().getByText("At once, 1 member loses access").waitFor();
  await dialog().getByText("Within minutes, 0 DAGs").waitFor();
  expect(await dialog().getByRole("button", { name: "Delete team" }).isDisabled()).toBe(true);
  expect(await violations(page())).toEqual([]);
  await dialog().getByLabel("Type marketing to confirm").fill("marketing");
  await press("Delete team");
  await row("marketing").waitFor({ state: "detached" });
  await page().getByRole("button", { name: "Team default: change" }).waitFor({ state: "detached" });
});
