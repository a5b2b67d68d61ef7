import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { ran } from "./api.ts";
import { inBrowser, violations } from "./browser.ts";

/** A team asks, the owner gives; a guest sees the runs, starts one, and is shut out again. */
const server = inject("server");
const { page, complaints } = inBrowser();

const row = (name: string) => page().getByRole("row").filter({ hasText: name });
const dialog = () => page().getByRole("dialog");

/** The API, as the local admin in a team. */
async function inTeam<T>(team: string, method: string, path: string, body?: unknown): Promise<T> {
  const headers = {
    authorization: `Bearer ${server.token}`,
    "headway-team": team,
    "content-type": "application/json",
  };
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const response = await fetch(`${server.url}/api/v1${path}`, { method, headers, body: sent });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

beforeAll(async () => {
  await inTeam("default", "POST", "/teams", { name: "partners" });
  await inTeam("partners", "POST", "/users", { name: "gina", role: "operator" });
  await ran(server, "orders");
});

afterAll(async () => {
  await page().close(); // who is signed in there is gone with the team
  await inTeam("default", "DELETE", "/teams/partners?confirm=partners&force=true");
});

test("a team asks for access, and the owner gives it", async () => {
  await page().goto("/t/partners/admin/grants");
  await page().getByText("No grants yet").waitFor();
  await page().getByRole("button", { name: "Ask for access" }).click();
  await dialog().getByLabel("Team").fill("default");
  await dialog().getByLabel("DAG").fill("orders");
  await dialog().getByLabel("Note").fill("for the monthly report");
  expect(await violations(page())).toEqual([]);
  await dialog().getByRole("button", { name: "Ask for access" }).click();
  await row("orders").getByText("asked for").waitFor();

  await page().goto("/t/default/admin/grants");
  await row("partners").getByText("asked for").waitFor();
  await page().getByRole("button", { name: "Change See runs orders for partners" }).click();
  await page().getByRole("menuitem", { name: "Give" }).click();
  await row("partners").getByText("given").waitFor();
  await page().getByRole("button", { name: "Give access" }).click();
  await dialog().getByLabel("Team").fill("partners");
  await dialog().getByLabel("DAG").fill("orders");
  await dialog().getByLabel("Access").selectOption("Start");
  await dialog().getByRole("button", { name: "Give access" }).click();
  await row("Start").getByText("given").waitFor();
  expect(await violations(page())).toEqual([]);
});

test("a pool is lent, and both teams see on Slots how it is shared", async () => {
  await inTeam("default", "PUT", "/pools/scanners", { slots: 4 });
  await page().goto("/t/default/admin/grants");
  await page().getByRole("button", { name: "Give access" }).click();
  await dialog().getByLabel("Team").fill("partners");
  await dialog().getByLabel("Access").selectOption("Use pool");
  await dialog().getByLabel("Pool").fill("scanners");
  expect(await violations(page())).toEqual([]);
  await dialog().getByRole("button", { name: "Give access" }).click();
  await row("scanners").getByText("given").waitFor();

  await page().goto("/t/default/slots");
  await page().getByText("Shared with other teams: this team may use 4 now").waitFor();
  await page().getByRole("heading", { name: "Lent to" }).waitFor();
  await page().getByText("0 of 0").waitFor(); // what partners use, and may use: they want nothing
  expect(await violations(page())).toEqual([]);
  await page().goto("/t/partners/slots");
  await page().getByRole("heading", { name: "@default/scanners" }).waitFor();
  await page().getByText("Shared by another team: this team may use 0 now").waitFor();
});

test("a guest sees the runs and starts one, until the grant is taken back", async () => {
  const { url } = await inTeam<{ url: string }>("partners", "POST", "/login-links", {
    user: "gina",
  });
  await page().goto(url);
  await page().waitForURL(/\/t\/partners\//);
  await page().goto("/t/partners/admin/grants");
  await row("See runs").getByRole("link", { name: "orders" }).click();
  await page().getByText("Of team default, shown to partners by a grant").waitFor();
  await row("manual").first().waitFor();
  expect(await violations(page())).toEqual([]);
  const before = await row("manual").count();
  await page().getByRole("button", { name: "Start" }).click();
  await row("manual").nth(before).waitFor();

  const { items } = await inTeam<{ items: { id: string }[] }>("default", "GET", "/grants");
  for (const { id } of items)
    await inTeam("default", "PATCH", `/grants/${id}`, { state: "revoked" });
  await page().reload();
  await page().getByText("Its runs are not shared").waitFor();
  expect(complaints).toEqual([]);
});
