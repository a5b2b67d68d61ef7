import { beforeAll, expect, inject, test } from "vitest";
import { ask } from "./api.ts";
import { inBrowser, violations } from "./browser.ts";

/** Who belongs to the team: taken in, changed, let go; and never the last who may decide that. */
const server = inject("server");
const { page, complaints } = inBrowser();

const row = (name: string) => page().getByRole("row").filter({ hasText: name });
const dialog = () => page().getByRole("dialog");
const press = (name: string) => dialog().getByRole("button", { name }).click();

beforeAll(async () => {
  await ask(server, "/users", { name: "mona", role: "author" });
  await page().goto("/t/default/admin/users");
  const status = await page().evaluate(async () => {
    const body = JSON.stringify({ user: "mona", name: "mona-reports", role: "viewer" });
    const headers = { "content-type": "application/json" };
    return (await fetch("/api/v1/tokens", { method: "POST", headers, body })).status;
  });
  expect(status).toBe(201);
});

async function remove(name: string): Promise<void> {
  await page()
    .getByRole("button", { name: `Change ${name}` })
    .click();
  await page().getByRole("menuitem", { name: "Remove from the team…" }).click();
  await dialog().waitFor();
}

test("who goes is told what goes with them, is added again, and gets another role", async () => {
  await page().goto("/t/default/admin/users");
  await row("mona").waitFor();
  await remove("mona");
  const said = dialog().getByText("mona loses the role author");
  await said.waitFor();
  expect(await said.evaluate((each) => each.scrollWidth <= each.clientWidth)).toBe(true); // read to its end
  await dialog().getByText("The token “mona-reports” will be revoked permanently.").waitFor();
  expect(await violations(page())).toEqual([]);
  await press("Cancel");
  await row("mona").waitFor();
  await remove("mona");
  await press("Remove mona");
  await row("mona").waitFor({ state: "detached" });

  await page().getByRole("button", { name: "Add member" }).click();
  await dialog().getByLabel("Name").fill("nobody");
  await press("Add member");
  await dialog().getByRole("alert").getByText("there is no user 'nobody'").waitFor();
  await dialog().getByLabel("Name").fill("mona");
  await dialog().getByLabel("Role").selectOption("operator");
  await press("Add member");
  await row("mona").getByText("operator").waitFor();
  expect(complaints.splice(0).join()).toContain("404"); // of nobody
  await page().goto("/t/default/admin/tokens");
  await row("mona-reports").getByText("revoked").waitFor();

  await page().goto("/t/default/admin/users");
  await page().getByRole("button", { name: "Change mona" }).click();
  await page().getByRole("menuitemcheckbox", { name: "viewer" }).click();
  await row("mona").getByText("viewer").waitFor();
  await page().keyboard.press("Escape");
  await page().getByRole("button", { name: "Undo" }).click();
  await row("mona").getByText("operator").waitFor();
});

test("the last admin stays, and is told why", async () => {
  await page().goto("/t/default/admin/users");
  await remove("admin");
  await dialog().getByText("You lose the role admin").waitFor();
  await press("Leave the team");
  await dialog().getByRole("alert").getByText("last admin").waitFor();
  expect(complaints.splice(0).join()).toContain("409");
  expect(await ask(server, "/users/admin")).toMatchObject({ role: "admin" });
});
