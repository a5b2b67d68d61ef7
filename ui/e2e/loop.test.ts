import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, inject, test, vi } from "vitest";
import { ask, PATIENCE_MS, ran } from "./api.ts";
import { inBrowser, violationsInBoth } from "./browser.ts";

const server = inject("server");
const { page } = inBrowser();

// Two DAGs of one loop each: `enough` says stop after three iterations, `never` is ended by the bound.
const SOURCE = `from headway import Loop, LoopDecision, dag, task, task_group\n
@dag
def refining():
    @task
    def improve(*, loop: Loop) -> int:
        return loop.index + 1\n
    @task_group
    def refine():
        improve()\n
    def enough(*, loop: Loop) -> LoopDecision:
        return LoopDecision(loop.result == 3, f"it is {loop.result}")\n
    @task
    def report(results: list[int]) -> int:
        return results[-1]\n
    report(refine.loop(max_iterations=5, until=enough))\n
@dag
def endless():
    @task
    def look(*, loop: Loop) -> int:
        return loop.index\n
    @task_group
    def again():
        look()\n
    def never(*, loop: Loop) -> bool:
        return False\n
    @task
    def after() -> None: ...\n
    again.loop(max_iterations=2, until=never) >> after()\n
@dag
def held():
    @task(pool="nowhere")
    def wait() -> None: ...\n
    @task_group
    def tries():
        wait()\n
    def good() -> bool:
        return True\n
    tries.loop(max_iterations=4, until=good)\n
refining()
endless()
held()
`;

let refining = "";
let endless = "";

beforeAll(async () => {
  writeFileSync(join(server.dags, "loops.py"), SOURCE);
  for (const name of ["refining", "endless", "held"]) {
    await vi.waitFor(
      async () => expect(await ask(server, `/dags/${name}`)).toMatchObject({ version: 1 }),
      { timeout: PATIENCE_MS, interval: 100 },
    );
  }
  refining = await ran(server, "refining");
  endless = await ran(server, "endless");
});

const drawer = () => page().getByRole("complementary");
const names = () => drawer().locator("li code").allTextContents();

test("the grid marks a loop with its iterations, and a cell of it lists them one after another", async () => {
  await page().goto("/t/default/dags/refining/grid");
  const row = page()
    .getByRole("row")
    .filter({ hasText: /^refine/ });
  await expect.poll(() => row.textContent()).toContain("×3");
  await page().goto(`/t/default/runs/${refining}?group=refine`);
  const inOrder = [0, 1, 2].flatMap((at) => [`refine.improve[${at}]`, `refine.enough[${at}]`]);
  await expect.poll(names).toEqual(inOrder);
  expect(await violationsInBoth(page())).toEqual([]);
});

test("a loop that ends at its bound says so, and what comes after it says why it did not run", async () => {
  await page().goto(`/t/default/runs/${endless}?group=again`);
  await drawer().getByRole("button", { name: "failed 1", exact: true }).click();
  await expect.poll(names).toEqual(["again.never[1]"]);
  await drawer().getByText("again.never[1]").click();
  await drawer().getByText("did not hold after 2 iterations (max_iterations)").first().waitFor();
  await page().goto(`/t/default/runs/${endless}?task=after`);
  await drawer().getByText("again.never").first().waitFor();
});

test("a task of a loop that waits says in which iteration, and what decides about another one", async () => {
  const { run_id } = await ask<{ run_id: string }>(server, "/dags/held/runs", {});
  await page().goto(`/t/default/runs/${run_id}?task=tries.good&map=0`);
  const told = async () => ((await drawer().textContent()) ?? "").replaceAll("`", "");
  await expect
    .poll(told, { timeout: PATIENCE_MS })
    .toContain("it waits for tries.wait in iteration 1 of at most 4; then it decides");
  expect(await violationsInBoth(page())).toEqual([]);
});
