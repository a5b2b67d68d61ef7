import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, inject, test, vi } from "vitest";
import { ask, PATIENCE_MS, ran } from "./api.ts";
import { inBrowser, violationsInBoth } from "./browser.ts";

const server = inject("server");
const { page } = inBrowser();

const SOURCE = `from headway import dag, task, task_group\n
@dag
def shelves():
    @task
    def listed():
        return ["a", "b", "c"]\n
    @task
    def fetch(shelf: str) -> str:
        return shelf\n
    @task
    def count(shelf: str):
        if shelf == "b":
            raise ValueError("shelf b is empty")\n
    @task_group
    def each(shelf: str):
        count(fetch(shelf))\n
    each.expand(shelf=listed())\n
shelves()
`;

let run = "";

beforeAll(async () => {
  writeFileSync(join(server.dags, "shelves.py"), SOURCE);
  await vi.waitFor(
    async () => expect(await ask(server, "/dags/shelves")).toMatchObject({ version: 1 }),
    { timeout: PATIENCE_MS, interval: 100 },
  );
  run = await ran(server, "shelves");
});

const drawer = () => page().getByRole("complementary");
const names = () => drawer().locator("li code").allTextContents();

test("the grid marks a mapped group with its items, and a cell of it lists them", async () => {
  await page().goto("/t/default/dags/shelves/grid");
  const row = page().getByRole("row").filter({ hasText: /^each/ });
  await expect.poll(() => row.textContent()).toContain("×3");
  await page().getByRole("treegrid").focus();
  await page().keyboard.press("ArrowDown"); // from the first task to the group
  await page().keyboard.press("Enter");
  await page().waitForURL((url) => url.searchParams.get("group") === "each");
  const inOrder = [0, 1, 2].flatMap((at) => [`each.fetch[${at}]`, `each.count[${at}]`]);
  await expect.poll(names).toEqual(inOrder);
  expect(await violationsInBoth(page())).toEqual([]);
});

test("the graph marks it, too: its items by state, each with its log, and the way back", async () => {
  await page().goto(`/t/default/dags/shelves/graph?run=${run}&details=closed`);
  await page().getByRole("button", { name: "Items of each" }).click();
  await drawer().getByRole("button", { name: "failed 1", exact: true }).click();
  await expect.poll(names).toEqual(["each.count[1]"]);
  await drawer().getByText("each.count[1]").click();
  await drawer().getByText("shelf b is empty").first().waitFor();
  await drawer().getByRole("button", { name: "Items of each" }).click();
  await expect.poll(() => names().then((each) => each.length)).toBe(6);
});

test("a closed group says how many items it has, before and after a run", async () => {
  await page().goto(`/t/default/dags/shelves/graph?run=${run}&details=closed&open=none`);
  const box = page().locator("[data-kind=group]");
  await expect.poll(() => box.textContent()).toContain("×3");
  await expect.poll(() => box.textContent()).toContain("mapped group of 2 tasks");
});

test("a run's page lists the items of an address", async () => {
  await page().goto(`/t/default/runs/${run}?group=each`);
  await expect.poll(() => names().then((each) => each.length)).toBe(6);
});
