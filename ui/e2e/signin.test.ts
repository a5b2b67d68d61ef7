import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PATIENCE_MS } from "./api.ts";
import { launch, violations } from "./browser.ts";
import { type Server, serve } from "./server.ts";

/** The button of an organisation's sign-in, by a real OpenID provider; a server of its own has that way. */
const HERE = fileURLToPath(new URL(".", import.meta.url));
const SECRET = "of the client, for the tests";
let browser: Browser;
let page: Page;
let server: Server;
let stop = async () => {};
let provider: ChildProcess;
let issuer = "";
const folder = mkdtempSync(join(tmpdir(), "headway-ui-"));

beforeAll(async () => {
  provider = spawn(process.execPath, [join(HERE, "provider.mjs")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  issuer = await firstLine(provider);
  cpSync(join(HERE, "dags/orders.py"), join(folder, "dags/orders.py"));
  writeFileSync(join(folder, "secret"), SECRET);
  writeFileSync(join(folder, "sign-in.toml"), settings());
  [server, stop] = await serve(folder, "0", { HEADWAY_SIGN_IN: join(folder, "sign-in.toml") });
  await control({
    clients: [
      {
        client_id: "headway",
        client_secret: SECRET,
        redirect_uris: [`${server.url}/login/company`],
        post_logout_redirect_uris: [`${server.url}/login`],
      },
    ],
  });
  browser = await launch();
  const context = await browser.newContext({ baseURL: server.url });
  context.setDefaultTimeout(PATIENCE_MS);
  page = await context.newPage();
}, 2 * PATIENCE_MS);

afterAll(async () => {
  await browser?.close();
  await stop();
  provider?.kill();
  rmSync(folder, { recursive: true, force: true });
});

function settings(): string {
  return `
[oidc.company]
label = "Company account"
issuer = "${issuer}"
client-id = "headway"
client-secret-file = "secret"

[[rule]]
group = "analysts"
grant = "default:viewer"
`;
}

/** What it prints first; the rest is read and dropped, so that it can go on printing. */
function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.once("exit", () => reject(new Error("the provider ended")));
    child.stdout?.on("data", (text: Buffer) => {
      said += text;
      if (said.includes("\n")) resolve(said.split("\n")[0] ?? "");
    });
  });
}

async function control(asked: object): Promise<void> {
  const answer = await fetch(`${issuer}/control`, { method: "POST", body: JSON.stringify(asked) });
  expect(answer.status).toBe(200);
}

test("who has no role is told so on the sign-in page", async () => {
  await control({ account: "eve", people: { eve: { groups: ["others"] } } });
  await page.goto("/t/default/dags");
  await page.getByRole("button", { name: /Company account/ }).waitFor();
  expect(await violations(page)).toEqual([]);
  await page.getByRole("button", { name: /Company account/ }).click();
  await page.waitForURL(/\/login/);
  await page.getByRole("alert").waitFor();
  await page.context().clearCookies(); // of the provider
});

test("the button leads to the provider and back to the page that was wanted", async () => {
  await control({ account: "ann", people: { ann: { groups: ["analysts"], name: "Ann Lee" } } });
  await page.goto("/t/default/dags");
  await page.getByRole("button", { name: /Company account/ }).click();
  await page.waitForURL(/\/t\/default\/dags/);
  await page.getByText("orders").first().waitFor();
  const found = await page.evaluate(async () => (await fetch("/api/v1/session")).json());
  expect(found).toMatchObject({ role: "viewer", user: { name: "ann", display_name: "Ann Lee" } });
});
