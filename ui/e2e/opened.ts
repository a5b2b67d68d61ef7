/** What opens on the pages: menus, dialogs and forms, also those that are filled in wrong. */
import type { Page } from "playwright-core";
import type { Ids } from "./gallery.ts";
import type { Shot } from "./shots.ts";

const TEAM = "/t/default";
type Act = (page: Page) => Promise<unknown>;
type Opened = [name: string, path: string | ((ids: Ids) => string), act: Act, shows: RegExp];

const pressed =
  (name: string | RegExp): Act =>
  (page) =>
    page.getByRole("button", { name }).first().click();

const chosen =
  (name: string, item: string): Act =>
  async (page) => {
    await page.getByRole("button", { name: `Change ${name}` }).click();
    await page.getByRole("menuitem", { name: item }).click();
  };

/** Filled in, and sent: the last word is the button. */
const filled =
  (open: string | null, fields: Record<string, string>, send: string): Act =>
  async (page) => {
    if (open) await page.getByRole("button", { name: open }).first().click();
    for (const [label, value] of Object.entries(fields))
      await page.getByLabel(label, { exact: true }).fill(value);
    await page.getByRole("button", { name: send, exact: true }).click();
  };

const picked =
  (press: string): Act =>
  async (page) => {
    const boxes = page.locator("main").getByRole("checkbox");
    await boxes.nth(1).check();
    await boxes.nth(2).check();
    await page.getByRole("button", { name: press }).click();
  };

const run = ({ failed }: Ids) => `${TEAM}/runs/${failed}`;
const admin = (part: string) => `${TEAM}/admin/${part}`;

const OPENED: readonly Opened[] = [
  ["search", `${TEAM}/dags`, searched, /^Search all logs/],
  ["keys", `${TEAM}/dags`, (page) => page.keyboard.press("?"), /Undo the last action/],
  ["you", `${TEAM}/dags`, pressed(/^You/), /Sign out/],
  ["password", `${TEAM}/dags`, changing, /Your password/],
  ["zone", `${TEAM}/dags`, pressed(/^Times are in/), /The DAG’s time zone/],
  ["filter", `${TEAM}/runs`, pressed("State"), /cancelled/],
  ["span", `${TEAM}/runs`, pressed(/^Time$/), /Last/],
  ["bulk-runs", `${TEAM}/runs`, picked("Clear…"), /2 runs/],
  ["bulk-dags", `${TEAM}/dags`, picked("Pause…"), /No scheduled runs/],
  ["new-backfill", `${TEAM}/backfills`, pressed("New backfill"), /Preview runs/],
  ["new-backfill-planned", `${TEAM}/backfills`, planned, /Start|runs/],
  ["new-pool", `${TEAM}/slots`, pressed("New pool"), /Create pool/],
  ["pool-wrong", `${TEAM}/slots`, wrongPool, /Enter a whole number/],
  ["emit", `${TEAM}/assets/detail?asset=sales`, pressed("Report event…"), /Extra/],
  ["trigger-planned", `${TEAM}/dags/orders/run`, pressed("Preview"), /start immediately/],
  ["trigger-wrong", `${TEAM}/dags/asked/run`, wrongParameter, /must be a text that matches/],
  ["run-retry", run, pressed("Retry failed"), /will run again/],
  ["run-clear", run, pressed("Clear…"), /will run again/],
  ["run-mark", run, pressed("Mark…"), /will be marked as success/],
  ["run-replay", run, pressed("Replay…"), /Replay this run/],
  ["run-note", run, pressed("Note"), /Save note/],
  ["run-link", run, pressed("Link…"), /Create link/],
  ["run-cancel", ({ busy }) => `${TEAM}/runs/${busy}`, pressed("Cancel…"), /Keep running/],
  ["instance-mark", (ids) => `${run(ids)}?task=close`, pressed("Mark success"), /will be marked/],
  ["new-user", admin("users"), pressed("New user"), /The name they sign in with/],
  [
    "user-wrong",
    admin("users"),
    filled("New user", { Name: "ann" }, "Create user and sign-in link"),
    /already/,
  ],
  ["user-menu", admin("users"), pressed("Change ann"), /Create sign-in link/],
  ["add-member", admin("users"), pressed("Add member"), /Name of an existing user/],
  ["remove-member", admin("users"), chosen("ann", "Remove from the team…"), /Remove ann/],
  ["new-role", admin("roles"), pressed("New role"), /Create role/],
  ["role", admin("roles"), chosen("triage", "Edit…"), /Role triage/],
  ["new-connection", admin("connections"), pressed("New connection"), /Extras/],
  ["connection", admin("connections"), chosen("lake", "Edit…"), /Edit lake/],
  ["delete-connection", admin("connections"), chosen("lake", "Delete…"), /Delete lake/],
  ["new-variable", admin("variables"), pressed("New variable"), /Shown or secret/],
  ["variable", admin("variables"), chosen("bucket", "Edit…"), /Edit bucket/],
  ["new-webhook", admin("webhooks"), pressed("New webhook"), /Create webhook/],
  ["webhook-wrong", admin("webhooks"), wrongPaths, /Write each line as/],
  ["webhook-came", admin("webhooks"), chosen("erp", "Deliveries…"), /refused/],
  ["webhook-secret", admin("webhooks"), chosen("erp", "New secret…"), /Create secret/],
  ["delete-webhook", admin("webhooks"), chosen("erp", "Delete…"), /Delete erp/],
  ["new-outbound", admin("outbound"), pressed("New outbound webhook"), /Create outbound/],
  ["outbound", admin("outbound"), chosen("planner", "Edit…"), /Edit planner/],
  ["outbound-sent", admin("outbound"), chosen("planner", "Deliveries…"), /ping/],
  ["new-team", admin("teams"), pressed("New team"), /Create team/],
  [
    "team-wrong",
    admin("teams"),
    filled("New team", { Name: "Not A Name" }, "Create team"),
    /not a valid|lower-case/,
  ],
  ["team-limits", admin("teams"), chosen("default", "Limits…"), /Limits of default/],
  ["delete-team", admin("teams"), chosen("marketing", "Delete…"), /Type marketing/],
  ["new-token", admin("tokens"), pressed("New token"), /Create token/],
  ["new-service-account", admin("tokens"), pressed("New service account"), /Create service/],
  ["revoke", admin("tokens"), pressed("Revoke"), /Revoke token/],
  ["give-access", admin("grants"), pressed("Give access"), /Note/],
  ["ask-access", admin("grants"), pressed("Ask for access"), /Note/],
  ["audit-entry", admin("audit"), pressed(/^Raw entry/), /Entry \d+/],
];

/** Those that the server refuses. */
const REFUSED = ["trigger-wrong", "user-wrong", "team-wrong"];

export const DIALOGS: readonly Shot[] = OPENED.map(([name, path, act, shows]) => ({
  name,
  path,
  act,
  shows,
  isRefused: REFUSED.includes(name),
}));

async function searched(page: Page): Promise<void> {
  await page.keyboard.press("/");
  await page.getByRole("combobox").fill("inv");
}

async function changing(page: Page): Promise<void> {
  await pressed(/^You/)(page);
  await page.getByRole("menuitem", { name: "Password" }).click();
}

async function planned(page: Page): Promise<void> {
  await pressed("New backfill")(page);
  await page.getByLabel("DAG").fill("orders");
  await page.getByLabel("From").fill("2026-10-15");
  await page.getByLabel("To").fill("2026-10-25");
  await pressed("Preview runs")(page);
}

async function wrongPool(page: Page): Promise<void> {
  await pressed("Resize")(page);
  await page.getByLabel("Slots", { exact: true }).fill("many");
}

async function wrongParameter(page: Page): Promise<void> {
  await page.getByLabel("code").fill("nothing");
  await page.getByRole("button", { name: "Run asked" }).click();
}

async function wrongPaths(page: Page): Promise<void> {
  await pressed("New webhook")(page);
  await page.getByLabel("Extra from the body").fill("rows");
}
