import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page, Request } from "playwright-core";
import { expect, inject, test } from "vitest";
import { ask, PATIENCE_MS, ran } from "./api.ts";
import { inBrowser, violations, violationsInBoth, widthOf } from "./browser.ts";
import { begin, gates, open } from "./gate.ts";

const server = inject("server");
const { page } = inBrowser();

const RUN = (run: string, search = "") => `/t/default/runs/${run}${search}`;
const drawer = () => page().getByRole("complementary");
const dialog = () => page().getByRole("dialog");
const text = (words: string | RegExp) => page().locator("main").getByText(words).first();

test("a run that is watched finishes before one's eyes, without a reload", async () => {
  const { run_id } = await ask<{ run_id: string }>(server, "/dags/follow/runs", {
    params: { lines: 40 },
  });
  await page().goto(RUN(run_id));
  await page().getByRole("progressbar").waitFor();
  await page().evaluate(() => Object.assign(window, { same: true }));
  await text(/^Succeeded after/).waitFor();
  await page().getByRole("progressbar").waitFor({ state: "detached" });
  expect(await page().evaluate(() => "same" in window)).toBe(true);
});

test("what broke is told, mended, and retried with the exact list of what runs again", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "headway-ui-")), "input");
  const run = await ran(server, "mended", { file });
  await page().goto(RUN(run));
  await text(/^Failed after/).waitFor();
  await page()
    .getByRole("heading", { name: /FileNotFoundError/ })
    .waitFor();
  await page().getByRole("region", { name: "Errors" }).locator("[data-failing=true]").waitFor();
  writeFileSync(file, "mended");
  await page().getByRole("button", { name: "Retry failed" }).click();
  await dialog().getByText("2 task instances will run again").waitFor();
  const affected = dialog().getByRole("list", { name: "Affected task instances" });
  const listed = affected.getByRole("listitem");
  await expect.poll(() => listed.allTextContents()).toEqual(["read", "use"]);
  expect((await ask<{ state: string }>(server, `/runs/${run}`)).state).toBe("failed");
  await dialog().getByRole("button", { name: "Run 2 again" }).click();
  await text(/^Succeeded after/).waitFor();
});

test("a retry after the file was fixed says so, and runs the fixed code", async () => {
  const file = join(server.dags, "fixed.py");
  const source = (text: string) =>
    `from headway import dag, task\n\n\n@dag()\ndef fixed():\n    @task\n    def parse() -> int:\n        return int("${text}")\n\n    parse()\n`;
  writeFileSync(file, source("12,5"));
  const bundle = () =>
    ask<{ bundle_version: string }>(server, "/dags/fixed").then(
      (dag) => dag.bundle_version,
      () => null,
    );
  await expect.poll(bundle, { timeout: PATIENCE_MS }).not.toBeNull();
  const run = await ran(server, "fixed");
  const pinned = await bundle();
  writeFileSync(file, source("12"));
  await expect.poll(bundle, { timeout: PATIENCE_MS }).not.toBe(pinned);
  // One instance, and a clear, say the same as all that failed.
  for (const [query, press] of [
    ["?task=parse", drawer().getByRole("button", { name: "Retry" })],
    ["", page().getByRole("button", { name: "Clear…" })],
  ] as const) {
    await page().goto(RUN(run, query));
    await press.click();
    await dialog().getByText("fixed.py changed").waitFor();
    expect(
      await dialog()
        .getByLabel(/^(This run’s|Latest) code/)
        .count(),
    ).toBe(2);
    await dialog().getByRole("button", { name: "Cancel", exact: true }).click();
  }
  await page().goto(RUN(run));
  await text(/^Failed after/).waitFor();
  await page().getByRole("button", { name: "Retry failed" }).click();
  const latest = dialog().getByLabel(/^Latest code/);
  await expect.poll(() => latest.isChecked()).toBe(true);
  await dialog().getByText("fixed.py changed").waitFor();
  await dialog()
    .getByLabel(/^This run’s code/)
    .check();
  await latest.check();
  await dialog().getByRole("button", { name: "Run 1 again" }).click();
  await text(/^Succeeded after/).waitFor();
  await text(/switched to the latest code by admin/).waitFor();
});

test("an error shows what caused it, back to the root, without the module of its file", async () => {
  const source = `from headway import dag, task


class RenderError(Exception):
    pass


def parse(text: str) -> float:
    return float(text)


@dag()
def caused():
    @task
    def render() -> None:
        try:
            parse("12,5")
        except ValueError as error:
            raise RenderError("cannot render invoice 7") from error

    render()
`;
  writeFileSync(join(server.dags, "caused.py"), source);
  const known = () =>
    ask(server, "/dags/caused").then(
      () => true,
      () => false,
    );
  await expect.poll(known, { timeout: PATIENCE_MS }).toBe(true);
  const run = await ran(server, "caused");
  await page().goto(RUN(run));
  await page()
    .getByRole("heading", { name: "RenderError: cannot render invoice 7", exact: true })
    .waitFor();
  const causes = page().getByRole("list", { name: "Causes" }).getByRole("listitem");
  expect(await causes.allTextContents()).toEqual([
    "caused by ValueError: could not convert string to float: '12,5' in parse, caused.py:9",
  ]);
  await page().getByRole("region", { name: "Errors" }).getByText("return float(text)").waitFor();
});

test("a success with a failure inside is marked everywhere, and after a repair the failure is still told", async () => {
  const source = `from pathlib import Path

from headway import dag, task


@dag(params={"file": ""})
def flawed():
    @task
    def read(run) -> None:
        Path(run.params["file"]).read_text()

    @task(trigger_rule="all_done")
    def report() -> None:
        pass

    read() >> report()
`;
  writeFileSync(join(server.dags, "flawed.py"), source);
  const known = () =>
    ask(server, "/dags/flawed").then(
      () => true,
      () => false,
    );
  await expect.poll(known, { timeout: PATIENCE_MS }).toBe(true);
  const file = join(mkdtempSync(join(tmpdir(), "headway-ui-")), "input");
  const run = await ran(server, "flawed", { file });
  const mark = page().getByRole("img", { name: "1 task instance failed" });
  await page().goto(RUN(run));
  await text(/^Succeeded after .*although/).waitFor();
  await mark.first().waitFor();
  for (const path of ["/t/default/runs?dag=flawed", "/t/default/dags?q=flawed"]) {
    await page().goto(path);
    await mark.first().waitFor();
  }
  await page().goto("/t/default/overview");
  await page().getByText("Succeeded with failed tasks").waitFor();
  await page().goto("/t/default/dags/flawed");
  await page()
    .getByRole("columnheader", { name: /success with 1 failed task/ })
    .waitFor({ state: "attached" });
  expect(await violationsInBoth(page())).toEqual([]);
  writeFileSync(file, "repaired");
  await page().goto(RUN(run));
  await page().getByRole("button", { name: "Retry failed" }).click();
  await dialog()
    .getByRole("button", { name: /^Run \d+ again/ })
    .click();
  await text(/^Succeeded after [^,]*$/).waitFor();
  const first = page().getByRole("region", { name: "First failure" });
  await first.getByText(/First failure, repaired since:.*FileNotFoundError/).waitFor();
  await mark.first().waitFor({ state: "detached" });
});

test("clearing one task lists all after it, and can leave them out", async () => {
  const run = await ran(server, "orders");
  const { items } = await ask<{ items: { task_id: string; upstream: string[] }[] }>(
    server,
    `/runs/${run}/tasks`,
  );
  const first = items[0]?.task_id ?? "";
  await page().goto(RUN(run, `?task=${first}`));
  await drawer().getByRole("button", { name: "Clear…" }).click();
  await dialog().getByRole("listitem").first().waitFor();
  await expect.poll(() => dialog().getByRole("listitem").count()).toBeGreaterThan(1);
  await dialog().getByLabel("Include downstream tasks").uncheck();
  await dialog().getByText("1 task instance will run again").waitFor();
  await dialog().getByRole("button", { name: "Cancel", exact: true }).click();
  await dialog().waitFor({ state: "detached" });
  expect((await ask<{ state: string }>(server, `/runs/${run}`)).state).toBe("success");
});

test("a run is cancelled, and a note says why", async () => {
  const { run_id } = await ask<{ run_id: string }>(server, "/dags/follow/runs", {});
  await page().goto(RUN(run_id));
  await page().getByRole("progressbar").waitFor();
  await page().getByRole("button", { name: "Cancel…" }).click();
  await dialog().getByRole("button", { name: "Cancel run" }).click();
  await text(/^Cancelled by/).waitFor();
  await page().getByRole("button", { name: "Note" }).click();
  await dialog().getByRole("textbox").fill("stopped: <b>wrong</b> day");
  await dialog().getByRole("button", { name: "Save note" }).click();
  await dialog().waitFor({ state: "detached" });
  await page().getByRole("blockquote").getByText("stopped: <b>wrong</b> day").waitFor();
});

test("a run is marked as a whole: the list first, what runs is ended, the rest never starts", async () => {
  const { run_id } = await ask<{ run_id: string }>(server, "/dags/follow/runs", {});
  await page().goto(RUN(run_id));
  await page().getByRole("progressbar").waitFor();
  await expect
    .poll(() => ask<{ counts: object }>(server, `/runs/${run_id}`).then(({ counts }) => counts))
    .toEqual({ running: 1 });
  await page().getByRole("button", { name: "Mark…" }).click();
  await dialog().getByText("1 task instance will be marked as success").waitFor();
  await dialog().getByLabel("failed").check();
  await dialog().getByText("1 task instance will be marked as failed").waitFor();
  await dialog().getByText("1 task instance in progress will be stopped first.").waitFor();
  await expect.poll(() => dialog().getByRole("listitem").allTextContents()).toEqual(["talk"]);
  expect(await violations(page())).toEqual([]);
  await dialog().getByRole("button", { name: "Mark as failed" }).click();
  await text(/^Failed after/).waitFor();
  await page().getByRole("button", { name: "Mark…" }).click();
  await dialog().getByText("1 task instance will be marked as success").waitFor();
  await dialog().getByRole("button", { name: "Mark as success" }).click();
  await dialog().waitFor({ state: "detached" });
  await expect
    .poll(() => ask<{ state: string }>(server, `/runs/${run_id}`).then(({ state }) => state))
    .toBe("success");
  await page().locator("h1").getByText("success").waitFor();
  const mark = page().getByRole("button", { name: "Mark…" });
  await expect.poll(() => mark.getAttribute("title")).toBe("The run has finished: success");
});

test("a replay says what it cannot bring back, and leads to the new run", async () => {
  const run = await ran(server, "orders");
  await page().goto(RUN(run));
  await page().getByRole("button", { name: "Replay…" }).click();
  const list = dialog().getByRole("list", { name: "What may differ" });
  await list.getByText(/packages outside the bundle/).waitFor();
  expect(await violations(page())).toEqual([]);
  await dialog().getByRole("button", { name: "Replay", exact: true }).click();
  await text(`replay of ${run}`).waitFor();
  expect(page().url()).not.toContain(run);
});

test("the instances of a mapped task, those that failed first; one is opened and marked", async () => {
  const run = await ran(server, "invoices");
  await page().goto(RUN(run, "?task=book"));
  await drawer()
    .getByRole("button", { name: /^failed 1/, pressed: true })
    .waitFor();
  await drawer().getByRole("button", { name: /\[2\]/ }).click();
  await page().waitForURL(/map=2/);
  await drawer()
    .getByText(/12 invoices without a customer/)
    .first()
    .waitFor();
  await drawer().getByRole("region", { name: "Attempts" }).getByRole("button").nth(1).waitFor();
  const got = drawer().getByRole("region", { name: "Rendered fields" });
  await expect.poll(() => got.textContent()).toMatch(/month3$/);
  await drawer().getByRole("button", { name: "Mark success" }).click();
  await dialog().getByRole("button", { name: "Mark as success" }).click();
  await drawer().getByText("success", { exact: true }).first().waitFor();
});

test("a log is followed while it is written", async () => {
  const { run_id } = await ask<{ run_id: string }>(server, "/dags/follow/runs", {
    params: { lines: 600 },
  });
  await page().goto(RUN(run_id, "/log?task=talk"));
  const last = () =>
    page()
      .getByRole("region", { name: "Log", exact: true })
      .getByText(/^line \d+/)
      .last()
      .textContent();
  await page()
    .getByRole("region", { name: "Log", exact: true })
    .getByText(/^line 5:/)
    .waitFor();
  const number = async () => Number(/\d+/.exec((await last()) ?? "")?.[0]);
  const before = await number();
  await expect.poll(number).toBeGreaterThan(before + 10);
  const written = await ask<{ total_lines: number }>(
    server,
    `/runs/${run_id}/task-instances/talk/logs/lines?from=-1&count=1`,
  );
  await expect.poll(number).toBeGreaterThanOrEqual(written.total_lines - 1);
  await ask(server, `/runs/${run_id}/cancel`, {});
});

const log = () => page().getByRole("region", { name: "Log", exact: true });

/** A page whose timers of more than two seconds never fire: what it shows, it need not wait longer for. */
async function impatient(): Promise<Page> {
  const other = await page().context().newPage();
  await other.addInitScript(() => {
    for (const name of ["setTimeout", "setInterval"] as const) {
      const begin = window[name] as (...words: unknown[]) => number;
      const within = (act: unknown, ms = 0, ...rest: unknown[]) =>
        ms > 2_000 ? 0 : begin(act, ms, ...rest);
      Object.assign(window, { [name]: within });
    }
  });
  return other;
}

test.each([
  ["the stream tells of it", "told"],
  ["the stream is cut, and the page asks", "asked"],
])("a line is shown with no wait of more than two seconds: %s", async (_how, gate) => {
  await gates(server);
  const run = await begin(server, "spoken", gate);
  const other = await impatient();
  try {
    if (gate === "asked") await other.route(/\/stream\?topics=log/, (route) => route.abort());
    await other.goto(RUN(run, "/log?task=speak"));
    const sheet = other.getByRole("region", { name: "Log", exact: true });
    for (const number of [0, 1, 2, 3]) {
      await sheet.getByText(`line ${number}`).waitFor();
      open(server, gate, number);
    }
    await other.getByText("complete", { exact: true }).waitFor();
  } finally {
    await other.close();
  }
});

test("a log that is silent is not asked for", async () => {
  await gates(server);
  const run = await begin(server, "spoken", "silent");
  await page().goto(RUN(run, "/log?task=speak"));
  await log().getByText("line 0").waitFor();
  await page().getByText("being written").waitFor();
  let asked = 0;
  const count = (request: Request) => {
    asked += /logs\/lines/.test(request.url()) ? 1 : 0;
  };
  page().on("request", count);
  await page().waitForTimeout(4_000);
  page().off("request", count);
  expect(asked).toBeLessThan(3); // not once a second
  for (const number of [0, 1, 2, 3]) open(server, "silent", number);
  await page().getByText("complete", { exact: true }).waitFor();
});

test("the instances of one state have an address, and so have the tasks of one", async () => {
  const run = await ran(server, "invoices");
  await page().goto("/t/default/runs");
  const row = page().getByRole("row").filter({ hasText: run });
  await row.getByRole("link", { name: /upstream failed/ }).click();
  await page().waitForURL(/only=upstream_failed/);
  const tasks = page().getByRole("table", { name: "Tasks" });
  await expect.poll(() => tasks.getByRole("row").count()).toBe(2);
  await page().getByRole("link", { name: "Show all" }).click();
  await expect.poll(() => tasks.getByRole("row").count()).toBe(4);
  await tasks
    .getByRole("row")
    .filter({ hasText: "book" })
    .getByRole("link", { name: "success" })
    .click();
  await page().waitForURL(/task=book&state=success/);
  await page().reload();
  await drawer()
    .getByRole("button", { name: /^success 3/, pressed: true })
    .waitFor();
  await drawer()
    .getByRole("button", { name: /^All 4/ })
    .click();
  await page().waitForURL(/state=all/);
  await page().goBack();
  await drawer()
    .getByRole("button", { name: /^success 3/, pressed: true })
    .waitFor();
});

test("a long log: a line that is linked to, a search, a level, the end, a copy", async () => {
  const run = await ran(server, "hostile");
  await page().goto(RUN(run, "/log?task=shout&line=1500"));
  const log = page().getByRole("region", { name: "Log", exact: true });
  await log.locator("[data-marked=true]").getByText("INFO line 1495 of many").waitFor();
  await expect.poll(() => log.locator("[data-marked]").count()).toBeLessThan(100);
  await page().getByLabel("Search the log").fill("line 2999");
  await page().getByText("1 of 1").waitFor();
  await log.getByText("INFO line 2999 of many").waitFor();
  await page().getByLabel("Search the log").fill("");
  await page().getByRole("button", { name: "Level" }).click();
  await page().getByRole("menuitemcheckbox", { name: "warnings and errors" }).click();
  await page().keyboard.press("Escape");
  await log.getByText("WARNING it is late").waitFor();
  await log
    .getByText(/INFO line/)
    .first()
    .waitFor({ state: "detached" });
  await page().getByRole("button", { name: "End" }).click();
  await log.getByText("INFO line 2999 of many").waitFor();
  const copied = await log.getByText("INFO line 2998 of many").evaluate((element) => {
    getSelection()?.selectAllChildren(element.parentElement ?? element);
    return getSelection()?.toString().trim();
  });
  expect(copied).toBe("INFO line 2998 of many");
});

/** What the browser's policy had to refuse, and every dialog a script opened. */
async function watchFor(page: Page): Promise<string[]> {
  const bad: string[] = [];
  page.on("dialog", async (dialog) => {
    bad.push(`dialog ${dialog.message()}`);
    await dialog.dismiss();
  });
  await page.exposeFunction("violated", (what: string) => bad.push(what));
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      (window as unknown as { violated: (what: string) => void }).violated(
        `${event.violatedDirective} ${event.blockedURI}`,
      );
    });
  });
  return bad;
}

test("markup that users write is shown and does nothing, and the policy has nothing to refuse", async () => {
  const run = await ran(server, "hostile");
  const bad = await watchFor(page());
  await page().goto(RUN(run));
  await text(/<img src=x onerror=alert\(1\)>/).waitFor();
  await text("<script>alert('parameter')</script>").waitFor();
  await page().goto(RUN(run, "?task=shout"));
  await drawer().getByText("<b>key</b>").waitFor();
  await page().goto(RUN(run, "/log?task=shout&line=1"));
  await text(/^a link <script>alert\('parameter'\)<\/script>/).waitFor();
  await text(/no text: \uFFFD+/).waitFor();
  await page().goto("/t/default/dags/hostile/runs");
  await text("<script>alert('description')</script>").waitFor();
  expect(bad).toEqual([]);
  expect(await page().locator("main img, main script").count()).toBe(0);
  const links = await page()
    .locator("a[href]")
    .evaluateAll((all) => all.map((a) => (a as HTMLAnchorElement).protocol));
  expect(links.filter((protocol) => !/^https?:$/.test(protocol))).toEqual([]);
});

test("by keys alone: from error to error, retry, log, and back", async () => {
  const run = await ran(server, "invoices");
  await page().goto(RUN(run));
  await text(/^Failed after/).waitFor();
  await page().keyboard.press("j");
  await page().waitForURL(/task=book&map=2/);
  await drawer().getByRole("button", { name: "Retry" }).waitFor();
  await page().keyboard.press("r");
  await dialog()
    .getByText(/will run again/)
    .waitFor();
  await page().keyboard.press("Escape");
  await dialog().waitFor({ state: "detached" });
  await page().keyboard.press("l");
  await page().waitForURL(/\/log\?/);
  await page().goBack();
  await drawer().waitFor();
  await page().keyboard.press("Escape");
  await drawer().waitFor({ state: "detached" });
});

test("run, details and log are for everybody, on a phone too", async () => {
  const run = await ran(server, "invoices");
  for (const search of ["", "?task=book", "?task=book&map=2", "/log?task=book&map=2"]) {
    await page().goto(RUN(run, search));
    await page().locator("main").getByText("failed").first().waitFor();
    expect([search, await violationsInBoth(page())]).toEqual([search, []]);
    await page().setViewportSize({ width: 375, height: 812 });
    await expect.poll(() => widthOf(page())).toBe(375);
    const heading = page().locator(search.startsWith("?") ? "aside h2" : "h1");
    const box = await heading.boundingBox();
    expect(box?.x).toBeGreaterThanOrEqual(0);
    expect(box?.height).toBeLessThan(100);
    await page().setViewportSize({ width: 1440, height: 900 });
  }
});

test("a task whose pool does not exist stands on Home, and a button lets it run", async () => {
  const source = `from headway import dag, task


@dag()
def homeless():
    @task(pool="attic")
    def move_in() -> None:
        pass

    move_in()
`;
  writeFileSync(join(server.dags, "homeless.py"), source);
  const known = () =>
    ask(server, "/dags/homeless").then(
      () => true,
      () => false,
    );
  await expect.poll(known, { timeout: PATIENCE_MS }).toBe(true);
  const { run_id } = await ask<{ run_id: string }>(server, "/dags/homeless/runs", {});
  const home = () => ask<{ stuck: { run_id: string }[] }>(server, "/overview");
  await expect
    .poll(async () => (await home()).stuck.map((task) => task.run_id), { timeout: PATIENCE_MS })
    .toContain(run_id);
  const create = page().getByRole("button", { name: "Create pool attic" });
  for (const path of ["/t/default/slots", `/t/default/runs/${run_id}`, "/t/default/overview"]) {
    await page().goto(path);
    await create.first().waitFor();
    expect(await violationsInBoth(page())).toEqual([]);
  }
  await create.first().click();
  await page().getByRole("dialog").getByRole("button", { name: "Create pool" }).click();
  const state = () => ask<{ state: string }>(server, `/runs/${run_id}`).then((run) => run.state);
  await expect.poll(state, { timeout: PATIENCE_MS }).toBe("success");
  await create.first().waitFor({ state: "detached" });
});
