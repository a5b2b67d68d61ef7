import { beforeAll, expect, inject, test } from "vitest";
import { ran } from "./api.ts";
import { inBrowser, violations } from "./browser.ts";

/** The time of a run: it fills the chart, and a part of it is seen by keys, by drag, by address. */
const server = inject("server");
const { page } = inBrowser();
let run = "";

beforeAll(async () => {
  run = await ran(server, "orders");
});

const zoom = () => new URL(page().url()).searchParams.get("zoom");

/** From the first bar to the last, as a share of the room there is for them. */
async function filled(): Promise<number> {
  return await page().evaluate(() => {
    const bars = [...document.querySelectorAll("[data-index] svg rect, [data-index] svg line")];
    const boxes = bars.map((bar) => bar.getBoundingClientRect());
    const room = document.querySelector("[data-index] > svg")?.getBoundingClientRect();
    const right = Math.max(...boxes.map((box) => box.right));
    return (right - (room?.left ?? 0)) / (room?.width ?? 1);
  });
}

test("a run of a second fills the width", async () => {
  await page().goto(`/t/default/dags/orders/gantt?run=${run}`);
  await page()
    .getByRole("button", { name: /^extract, success/ })
    .waitFor();
  await expect.poll(filled).toBeGreaterThan(0.95);
  await expect.poll(filled).toBeLessThan(1.05);
});

test("nearer and all of it by key; the part that is seen stands in the address", async () => {
  await page().keyboard.press("+");
  await expect.poll(zoom).toMatch(/^\d+-\d+$/);
  const part = zoom();
  expect(await violations(page())).toEqual([]);
  await page().keyboard.press(".");
  await expect.poll(zoom).not.toBe(part);
  await page().reload();
  await page()
    .getByRole("button", { name: /^extract, success/ })
    .waitFor();
  expect(zoom()).toMatch(/^\d+-\d+$/);
  await page().keyboard.press("0");
  await expect.poll(zoom).toBeNull();
});

test("a drag along the axis shows that part, Ctrl and the wheel go nearer", async () => {
  const axis = await page().getByTitle("Drag to zoom in").boundingBox();
  if (!axis) throw new Error("there is no axis");
  const y = axis.y + axis.height / 2;
  await page().mouse.move(axis.x + 400, y);
  await page().mouse.down();
  await page().mouse.move(axis.x + 500, y);
  await page().mouse.move(axis.x + 600, y);
  await page().mouse.up();
  await expect.poll(zoom).toMatch(/^\d+-\d+$/);
  const [from = 0, to = 0] = (zoom() ?? "").split("-").map(Number);
  await page().keyboard.down("Control");
  await page().mouse.wheel(0, -200);
  await page().keyboard.up("Control");
  const length = () => {
    const [first = 0, last = 0] = (zoom() ?? "").split("-").map(Number);
    return last - first;
  };
  await expect.poll(length).toBeLessThan(to - from);
});
