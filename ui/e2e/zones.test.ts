import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, inject, test, vi } from "vitest";
import { ask, PATIENCE_MS, ran } from "./api.ts";
import { inBrowser, violationsInBoth, widthOf } from "./browser.ts";

const server = inject("server");
const { page } = inBrowser(); // a browser in Paris

const SOURCE = `from headway import dag, task\n
@dag(schedule="30 4 * * *", timezone="Asia/Tokyo")
def in_tokyo():
    @task
    def speak():
        print("good morning")\n
    speak()\n
in_tokyo()
`;
const CLOCKS = [
  ["mine", "Europe/Paris", "Paris"],
  ["dag", "Asia/Tokyo", "Tokyo"],
  ["utc", "UTC", "UTC"],
] as const;

let run = "";

beforeAll(async () => {
  writeFileSync(join(server.dags, "in_tokyo.py"), SOURCE);
  await vi.waitFor(
    async () => expect(await ask(server, "/dags/in_tokyo")).toMatchObject({ version: 1 }),
    { timeout: PATIENCE_MS, interval: 100 },
  );
  run = await ran(server, "in_tokyo");
});

test.each(CLOCKS)(
  "with the clock “%s” the axes, the calendar and logs are in %s",
  async (clock, zone, place) => {
    await page().goto("/t/default/dags");
    await page().evaluate((chosen) => localStorage.setItem("headway.clock", chosen), clock);

    await page().goto(`/t/default/dags/in_tokyo/gantt?run=${run}`);
    await page().getByTitle(`Times are in ${zone}`).getByText(place, { exact: true }).waitFor();
    expect(await violationsInBoth(page())).toEqual([]);

    await page().goto("/t/default/dags/in_tokyo/calendar");
    await page().getByText(`Days of ${zone}`).waitFor();
    const day = new Intl.DateTimeFormat("en-CA", { timeZone: zone });
    const [next] = await ask<{ fires: { logical_date: string }[] }>(
      server,
      "/dags/in_tokyo/next?count=1",
    ).then((found) => found.fires);
    const at = Date.parse(next?.logical_date ?? "");
    const shown = page().getByRole("region", { name: "Next runs" }).locator("time").first();
    await expect.poll(() => shown.getAttribute("datetime")).toMatch(/T19:30/); // in UTC
    const clockOf = { hour: "2-digit", minute: "2-digit", timeZone: zone } as const;
    const time = new Intl.DateTimeFormat("en-GB", clockOf).format(at);
    await expect.poll(() => shown.textContent()).toContain(`, ${time}`);
    const cell = page().locator(`[data-day="${day.format(at)}"]`);
    await expect.poll(() => cell.getAttribute("aria-label")).toMatch(/scheduled/);

    await page().goto("/t/default/dags/in_tokyo/durations");
    await page().getByText(`Days of ${zone}`, { exact: true }).waitFor();
    const bars = page().getByRole("img", { name: /Median duration by day, 1 day; / });
    const { ended_at } = await ask<{ ended_at: string }>(server, `/runs/${run}`);
    const month = { day: "numeric", month: "short", timeZone: zone } as const;
    const ended = new Intl.DateTimeFormat("en-GB", month).format(Date.parse(ended_at));
    await expect.poll(() => bars.getAttribute("aria-label")).toContain(ended);

    await page().goto(`/t/default/runs/${run}/log?task=speak&try=1`);
    const stamp = page().getByRole("region", { name: "Log" }).locator("time").first();
    const said = (await stamp.getAttribute("datetime")) ?? "";
    const hours = { hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;
    const expected = new Intl.DateTimeFormat("en-GB", { ...hours, timeZone: zone });
    expect(await stamp.textContent()).toContain(expected.format(Date.parse(said)));
    expect(await stamp.getAttribute("title")).toContain(zone);
  },
);

test("the axis of the timeline says whose clock it is of", async () => {
  await page().goto("/t/default/dags");
  await page().evaluate(() => localStorage.setItem("headway.clock", "utc"));
  await page().goto("/t/default/timeline?span=7d");
  await page().getByTitle("Times are in UTC").waitFor();
  await page().evaluate(() => localStorage.removeItem("headway.clock"));
  await page().reload();
  await page().getByTitle("Times are in Europe/Paris").waitFor();
});

test("on a narrow page the calendar opens at today", async () => {
  await page().setViewportSize({ width: 390, height: 812 });
  await page().goto("/t/default/dags/in_tokyo/calendar");
  const today = page().locator('[data-today="true"]');
  await today.waitFor();
  const box = await today.boundingBox();
  expect(box && box.x >= 0 && box.x + box.width <= 390).toBe(true);
  await expect.poll(() => widthOf(page())).toBe(390);
  await page().setViewportSize({ width: 1440, height: 900 });
});
