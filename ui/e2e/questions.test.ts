import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, inject, test, vi } from "vitest";
import { ask, ended, PATIENCE_MS } from "./api.ts";
import { inBrowser, launch, violations, widthOf } from "./browser.ts";

/** Tasks that ask people: on a page of their own, on the run's page and beside the task. */
const server = inject("server");
const { page } = inBrowser();

const SOURCE = `
from headway import Param, approve, ask, choose, dag, task


@dag(tags=["ops"])
def rollout():
    @task(trigger_rule="none_failed")
    def publish(**given):
        print(given)

    size = choose("size", subject="Which cluster?", options=["small", "large"])
    form = ask(
        "amount",
        subject="How much traffic?",
        body="The canary takes it for **an hour**.\\n\\n- then everybody\\n\\n<script>alert(1)</script>![](https://example.org/who.png)[bad](javascript:alert(1))",
        params={"percent": Param(5, type="integer", minimum=1, maximum=100, description="Of all requests.")},
    )
    sign = approve("sign", subject="Release it?", response_timeout=36_000, defaults="Reject")
    [size, form, sign] >> publish()


rollout()
`;
let run = "";

beforeAll(async () => {
  writeFileSync(join(server.dags, "rollout.py"), SOURCE);
  const known = () => ask(server, "/dags/rollout");
  await vi.waitFor(known, { timeout: PATIENCE_MS, interval: 200 });
  run = (await ask<{ run_id: string }>(server, "/dags/rollout/runs", {})).run_id;
  const open = async () => {
    const { items } = await ask<{ items: unknown[] }>(server, `/questions?run_id=${run}`);
    expect(items.length).toBe(3);
  };
  await vi.waitFor(open, { timeout: PATIENCE_MS, interval: 200 });
});

const card = (subject: string) => page().getByRole("region", { name: subject });

test("all open questions are on one page, and the navigation says how many", async () => {
  await page().goto("/t/default/questions");
  await card("Which cluster?").waitFor();
  expect(await page().getByRole("navigation").getByText("3 open").count()).toBe(1);
  await card("Release it?").getByText("then Reject").waitFor();
  expect(await violations(page())).toEqual([]);
});

test("what is asked is Markdown, without scripts, images and addresses that are scripts", async () => {
  const traffic = card("How much traffic?");
  await traffic.locator("strong", { hasText: "an hour" }).waitFor();
  await traffic.locator("li", { hasText: "then everybody" }).waitFor();
  expect(await traffic.locator("script, img, [href^=javascript]").count()).toBe(0);
});

test("a choice is made by keyboard, and what is not chosen is told", async () => {
  await card("Which cluster?").getByRole("button", { name: "Answer" }).click();
  await card("Which cluster?").getByText("Choose an option.").waitFor();
  await card("Which cluster?").getByLabel("small").focus();
  await page().keyboard.press("ArrowDown");
  await page().keyboard.press("Enter");
  await card("Which cluster?").waitFor({ state: "detached" });
  await page().getByRole("navigation").getByText("2 open").waitFor();
});

test("a form is checked by its schema, on the page of the run", async () => {
  await page().goto(`/t/default/runs/${run}`);
  const percent = card("How much traffic?").getByLabel(/percent/);
  await percent.fill("0");
  await card("How much traffic?").getByRole("button", { name: "Send" }).click();
  await card("How much traffic?").getByText("Enter a number that is at least 1").waitFor();
  await percent.fill("20");
  await percent.press("Enter");
  await card("How much traffic?").waitFor({ state: "detached" });
});

test("somebody else's answer is seen at once, and told beside the task", async () => {
  await card("Release it?").getByRole("button", { name: "sign" }).click();
  const drawer = page().getByRole("complementary");
  await drawer.getByRole("button", { name: "Approve" }).waitFor();
  expect(await violations(page())).toEqual([]);
  await ask(server, `/runs/${run}/task-instances/sign/answer`, { chosen_options: ["Approve"] });
  await drawer.getByText("Approve by admin").waitFor();
  expect(await drawer.getByRole("button", { name: "Approve" }).count()).toBe(0);
  expect(await ended(server, run)).toBe("success");
});

test("somebody without an account answers by a link, which to open changes nothing", async () => {
  const { run_id } = await ask<{ run_id: string }>(server, "/dags/rollout/runs", {});
  const path = `/runs/${run_id}/task-instances/sign`;
  await page().goto(`/t/default/runs/${run_id}`);
  await card("Release it?").getByRole("button", { name: "Link…" }).click();
  const dialog = page().getByRole("dialog");
  expect(await dialog.getByRole("button", { name: "Create link" }).isDisabled()).toBe(true);
  await dialog.getByLabel("For whom").fill("bob@acme.example");
  expect(await violations(page())).toEqual([]);
  await dialog.getByRole("button", { name: "Create link" }).click();
  const url = (await dialog.locator("code").textContent()) ?? "";
  await dialog.getByRole("button", { name: "Done" }).click();
  await page().goto("/t/default/admin/links");
  await page().getByText("the question of sign, for bob@acme.example").waitFor();
  const browser = await launch();
  try {
    const stranger = await browser.newPage();
    stranger.setDefaultTimeout(PATIENCE_MS);
    await stranger.goto(url);
    await stranger.getByRole("heading", { name: "Release it?" }).waitFor();
    await stranger.getByText("This link is for bob@acme.example.").waitFor();
    expect(await violations(stranger)).toEqual([]);
    const state = () => ask<{ state: string }>(server, path);
    expect((await state()).state).toBe("deferred");
    await stranger.getByRole("button", { name: "Approve" }).click();
    await stranger.getByText("Answered: Approve.").waitFor();
    expect((await state()).state).toBe("success");
  } finally {
    await browser.close();
  }
});

test("a phone is wide enough", async () => {
  await ask(server, "/dags/rollout/runs", {});
  await page().setViewportSize({ width: 390, height: 844 });
  await page().goto("/t/default/questions");
  await card("How much traffic?").first().waitFor();
  expect(await widthOf(page())).toBeLessThanOrEqual(390);
});
