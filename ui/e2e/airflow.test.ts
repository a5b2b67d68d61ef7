import { beforeAll, expect, inject, test } from "vitest";
import { inBrowser, violations } from "./browser.ts";
import { imported } from "./past.ts";

/** What Airflow did before a DAG moved here, as somebody looks it up. */
const server = inject("server");
const { page, complaints } = inBrowser();

const tab = () => page().getByRole("link", { name: "Airflow", exact: true });
const rows = () => page().getByRole("row");

beforeAll(() => imported(server, "invoices", 3));

test("a DAG that Airflow never ran has no tab for it", async () => {
  await page().goto("/t/default/dags/orders/runs");
  await page().getByRole("link", { name: "Versions" }).waitFor();
  expect(await tab().count()).toBe(0);
});

test("the runs in Airflow are listed, newest first, and one opens to its task instances", async () => {
  await page().goto("/t/default/dags/invoices/runs");
  await tab().click();
  const list = page().getByRole("table", { name: "Runs in Airflow" });
  await list.waitFor();
  expect(await rows().count()).toBe(4);
  expect(await rows().nth(1).textContent()).toContain("failed");
  expect(await violations(page())).toEqual([]);
  await rows().nth(1).getByRole("link").click();
  const tasks = page().getByRole("table", { name: "Task instances" });
  await tasks.getByText("load[1]").waitFor();
  const told = await tasks.getByRole("row").allTextContents();
  expect(told[3]).toMatch(/load\[1\].*failed.*1/);
  expect(told[4]).toMatch(/publish.*did not run/);
  expect(await violations(page())).toEqual([]);
  await page().goBack();
  await list.waitFor();
});

test("an address of a run that was not imported says so", async () => {
  await page().goto("/t/default/dags/invoices/airflow?of=none");
  await page().getByText("no run 'none' of DAG 'invoices' was imported from Airflow").waitFor();
  expect(complaints.splice(0)).toHaveLength(1); // of the browser, about the 404
  await page().getByRole("link", { name: "All runs in Airflow" }).click();
  await page().getByRole("table", { name: "Runs in Airflow" }).waitFor();
});

test("what was never imported names the command", async () => {
  await page().goto("/t/default/dags/orders/airflow");
  await page().getByText("No runs of Airflow").waitFor();
  await page().getByText("headway import-runs airflow.cfg").waitFor();
});
