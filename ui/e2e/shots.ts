import type { Page } from "playwright-core";
import { ask } from "./api.ts";
import type { Server } from "./server.ts";

/** A picture to take: of which page, and after doing what. */
export interface Shot {
  name: string;
  path: string;
  act?: (page: Page) => Promise<void>;
  /** By somebody who has not signed in. */
  stranger?: boolean;
}

const TEAM = "/t/default";
const VIEWS = ["grid", "graph", "gantt", "durations", "calendar", "code", "versions"];
const LISTS = [
  "overview",
  "dags",
  "runs",
  "logs",
  "slots",
  "timeline",
  "backfills",
  "events",
  "import-errors",
  "dependencies",
  "assets",
  "questions",
];
const ADMIN = [
  "users",
  "roles",
  "connections",
  "variables",
  "webhooks",
  "outbound",
  "teams",
  "tokens",
  "links",
  "you",
  "grants",
  "logs",
  "audit",
];

export const EMPTY: Shot[] = [
  ...[...LISTS, ...ADMIN.map((part) => `admin/${part}`)].map((path) => ({
    name: `empty-${path.replace("/", "-")}`,
    path: `${TEAM}/${path}`,
  })),
  { name: "login", path: "/login", stranger: true },
  { name: "login-expired", path: "/login#no-such-link", stranger: true },
  { name: "not-found", path: `${TEAM}/nowhere` },
];

/** Every page of a server on which there is something, with what opens on it. */
export async function full(server: Server): Promise<Shot[]> {
  const newest = async (filter: string) =>
    (await ask<{ items: { run_id: string }[] }>(server, `/runs?limit=1&${filter}`)).items[0]
      ?.run_id;
  const failed = await newest("dag_id=invoices&state=failed");
  const { previous } = await ask<{ previous: { run_id: string } }>(
    server,
    `/runs/${failed}/adjacent`,
  );
  const earlier = previous.run_id;
  const good = await newest("dag_id=hourly_warehouse&state=success");
  const busy = await newest("dag_id=follow&state=running");
  const run = `${TEAM}/runs/${failed}`;
  const pressed = (name: string) => (page: Page) => page.getByRole("button", { name }).click();
  return [
    ...[...LISTS, ...ADMIN.map((part) => `admin/${part}`)].map((path) => ({
      name: path.replace("/", "-"),
      path: `${TEAM}/${path}`,
    })),
    ...VIEWS.map((view) => ({
      name: `dag-${view}`,
      path: `${TEAM}/dags/hourly_warehouse/${view}?run=${good}`,
    })),
    { name: "dag-runs", path: `${TEAM}/dags/hourly_warehouse/runs` },
    { name: "dag-selected", path: `${TEAM}/dags/invoices/grid?run=${failed}&task=book&map=2` },
    { name: "trigger", path: `${TEAM}/dags/orders/run` },
    { name: "run-failed", path: run },
    { name: "run-good", path: `${TEAM}/runs/${good}` },
    { name: "run-running", path: `${TEAM}/runs/${busy}` },
    { name: "run-instances", path: `${run}?task=book&state=all` },
    { name: "run-instance", path: `${run}?task=book&map=2` },
    { name: "run-diff", path: `${run}/diff?with=${earlier}` },
    { name: "run-retry", path: run, act: pressed("Retry failed") },
    { name: "run-mark", path: run, act: pressed("Mark…") },
    { name: "run-log", path: `${run}/log?task=book&map=2` },
    { name: "logs-found", path: `${TEAM}/logs?q=customer`, act: searchEnded },
    { name: "logs-refused", path: `${TEAM}/logs?q=(&regex=true`, act: searchEnded },
    { name: "new-backfill", path: `${TEAM}/backfills`, act: pressed("New backfill") },
    { name: "new-connection", path: `${TEAM}/admin/connections`, act: pressed("New connection") },
    { name: "new-team", path: `${TEAM}/admin/teams`, act: pressed("New team") },
    { name: "delete-team", path: `${TEAM}/admin/teams`, act: ending },
    { name: "add-member", path: `${TEAM}/admin/users`, act: pressed("Add member") },
    { name: "remove-member", path: `${TEAM}/admin/users`, act: leaving },
    { name: "search", path: `${TEAM}/dags`, act: searched },
    { name: "keys", path: `${TEAM}/dags`, act: (page) => page.keyboard.press("?") },
    { name: "you", path: `${TEAM}/dags`, act: pressed("You") },
    { name: "team-switch", path: `${TEAM}/dags`, act: switching },
  ];
}

async function searchEnded(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Stop" }).waitFor({ state: "detached" });
}

async function searched(page: Page): Promise<void> {
  await page.keyboard.press("/");
  await page.getByRole("combobox").fill("inv");
  await page.getByRole("option", { name: "invoices" }).first().waitFor();
}

async function ending(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Change marketing" }).click();
  await page.getByRole("menuitem", { name: "Delete…" }).click();
}

async function leaving(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Change admin" }).click();
  await page.getByRole("menuitem", { name: "Remove from the team…" }).click();
}

async function switching(page: Page): Promise<void> {
  const button = page.getByRole("button", { name: /^Team .*: change$/ });
  if (await button.isVisible()) await button.click();
}
