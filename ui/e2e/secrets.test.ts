import { expect, inject, test } from "vitest";
import { ask, put } from "./api.ts";
import { inBrowser, violations } from "./browser.ts";

/** Connections and variables: set, changed without being read, kept to some DAGs, and deleted. */
const server = inject("server");
const { page, complaints } = inBrowser();

const row = (name: string) => page().getByRole("row").filter({ hasText: name });
const dialog = () => page().getByRole("dialog");
const press = (name: string) => dialog().getByRole("button", { name, exact: true }).click();

async function choose(name: string, item: string): Promise<void> {
  await page()
    .getByRole("button", { name: `Change ${name}` })
    .click();
  await page().getByRole("menuitem", { name: item }).click();
  await dialog().waitFor();
}

test("a connection is written, changed without its password being read, and deleted", async () => {
  await page().goto("/t/default/admin/connections");
  await page().getByRole("button", { name: "New connection" }).click();
  await dialog().getByLabel("ID").fill("shop");
  await dialog().getByLabel("Host").fill("db.internal");
  await dialog().getByLabel("Port").fill("99999");
  await dialog().getByText("Enter a number from 1 to 65535").waitFor();
  await dialog().getByLabel("Port").fill("5432");
  await dialog().getByLabel("Database").fill("sales");
  await dialog().getByLabel("Password").fill("canary-of-a-form");
  await dialog()
    .getByLabel("Extras")
    .fill('{"sslmode": "require", "api_key": "canary-of-an-extra"}');
  await dialog().getByLabel("Which DAGs may use it").selectOption("some");
  await dialog().getByLabel("DAG", { exact: true }).fill("orders");
  await page().keyboard.press("Enter"); // adds the DAG, and sends nothing yet
  await dialog().getByRole("button", { name: "Remove orders" }).waitFor();
  expect(await violations(page())).toEqual([]);
  await press("Create connection");
  await row("shop").getByText("db.internal:5432/sales").waitFor();
  await row("shop").getByText("orders").waitFor();

  await choose("shop", "Edit…");
  expect(await dialog().getByLabel("Password").inputValue()).toBe("");
  expect(await dialog().getByLabel("Extras").inputValue()).toContain('"api_key": "***"');
  expect(await page().content()).not.toContain("canary-of");
  await dialog().getByLabel("User name").fill("reader");
  await press("Save");
  await dialog().waitFor({ state: "detached" });
  expect(await ask(server, "/connections/shop")).toMatchObject({
    has_password: true,
    login: "reader",
  });

  await choose("shop", "Edit…");
  await dialog().getByLabel("Host").fill("db2.internal");
  await press("Save");
  await dialog()
    .getByRole("alert")
    .getByText("give the password and extra api_key again")
    .waitFor();
  expect(complaints.splice(0).join()).toContain("400");
  await dialog().getByLabel("Password").fill("canary-of-a-form");
  await dialog()
    .getByLabel("Extras")
    .fill('{"sslmode": "require", "api_key": "canary-of-an-extra"}');
  await press("Save");
  await row("shop").getByText("db2.internal").waitFor();
  expect(await ask(server, "/connections/shop")).toMatchObject({
    has_password: true,
    port: 5432,
    extra: { sslmode: "require", api_key: "***" },
    dags: ["orders"],
  });

  await choose("shop", "Edit…");
  await dialog().getByLabel("Remove what is stored").check();
  await press("Save");
  await row("shop").getByText("none", { exact: true }).waitFor();

  await choose("shop", "Delete…");
  await dialog().getByText("will fail at once, in orders").waitFor();
  expect(await violations(page())).toEqual([]);
  await press("Delete connection");
  await row("shop").waitFor({ state: "detached" });
});

test("a connection that is refused says why, and what was typed stays", async () => {
  await page().goto("/t/default/admin/connections");
  await page().getByRole("button", { name: "New connection" }).click();
  await dialog().getByLabel("ID").fill("../up");
  await dialog().getByText("Use letters, digits").waitFor();
  await dialog().getByLabel("ID").fill("up");
  await dialog().getByLabel("Extras").fill('{"api_key": "***"}');
  await dialog().getByLabel("Type").fill("my_own");
  await dialog().getByText("A type of your own").waitFor();
  await press("Create connection");
  await dialog().getByRole("alert").getByText("no secret is stored under this name").waitFor();
  expect(complaints.splice(0).join()).toContain("400");
  expect(await dialog().getByLabel("ID").inputValue()).toBe("up");
});

test("a connection is tried by an agent of the team", async () => {
  const { port } = new URL(server.url);
  await put(server, "/connections/itself", {
    conn_type: "http",
    host: "127.0.0.1",
    port: Number(port),
  });
  await put(server, "/connections/nothing", { conn_type: "ssh", host: "127.0.0.1", port: 1 });
  await page().goto("/t/default/admin/connections");
  await choose("itself", "Test");
  await dialog().getByText("The connection works").waitFor();
  await dialog().getByText("answered with status 200").waitFor();
  expect(await violations(page())).toEqual([]);
  await press("Done");
  await choose("nothing", "Test");
  await dialog().getByText("The connection failed").waitFor();
  await dialog().getByText("Connection refused").waitFor();
});

test("a variable is shown or secret, and its secret is kept when something else changes", async () => {
  await page().goto("/t/default/admin/variables");
  await page().getByRole("button", { name: "New variable" }).click();
  await dialog().getByLabel("Key").fill("bucket");
  await dialog().getByLabel("Value").fill("raw-data");
  await press("Create variable");
  await row("bucket").getByText("raw-data").waitFor();

  await page().getByRole("button", { name: "New variable" }).click();
  await dialog().getByLabel("Key").fill("smtp_password");
  await dialog().getByLabel("Value").fill("canary-of-a-variable");
  expect(await violations(page())).toEqual([]);
  await press("Create variable");
  await row("smtp_password").getByText("secret", { exact: true }).waitFor();

  await choose("smtp_password", "Edit…");
  expect(await page().content()).not.toContain("canary-of-a-variable");
  await dialog().getByLabel("Description").fill("for mails");
  await press("Save");
  await dialog().waitFor({ state: "detached" });
  expect(await ask(server, "/variables/smtp_password")).toMatchObject({
    is_secret: true,
    value: null,
    description: "for mails",
  });

  await choose("smtp_password", "Delete…");
  await dialog().getByText("Nobody can read its value back").waitFor();
  await press("Delete variable");
  await row("smtp_password").waitFor({ state: "detached" });
});
