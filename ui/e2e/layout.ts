import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";

const FAULTS = readFileSync(new URL("./faults.browser.js", import.meta.url), "utf8");

/**
 * Controls and headings that cannot be seen whole, or that lie over each other, however one scrolls; and what makes the
 * page itself scroll sideways.
 */
export async function faults(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => "layoutFaults" in window)))
    await page.evaluate(`(() => {${FAULTS}})()`);
  return await page.evaluate(() =>
    (window as unknown as { layoutFaults: () => string[] }).layoutFaults(),
  );
}

/**
 * Adds up what moves by itself on every page that is opened from now on. The lines of a log move as they are meant to
 * while its end is followed.
 */
export async function watchShifts(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const isFollowed = (nodes: (Node | null | undefined)[]) => {
      const there = nodes.filter((node) => node?.isConnected);
      return (
        there.length > 0 &&
        there.every((node) =>
          (node instanceof Element ? node : node?.parentElement)?.closest("[data-follows]"),
        )
      );
    };
    const shifts = { sum: 0, of: [] as string[] };
    Object.assign(window, { shifts });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & {
        value: number;
        hadRecentInput: boolean;
        sources?: { node?: Node | null }[];
      })[]) {
        if (entry.hadRecentInput) continue;
        if (isFollowed((entry.sources ?? []).map(({ node }) => node))) continue;
        shifts.sum += entry.value;
        const moved = (entry.sources ?? []).map(({ node }) =>
          node instanceof Element ? `${node.tagName}.${node.className}` : (node?.textContent ?? ""),
        );
        shifts.of.push(`${entry.value.toFixed(3)}: ${moved.join(" ").slice(0, 200)}`);
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
}

export interface Shifts {
  sum: number;
  of: string[];
}

export async function shiftsOf(page: Page): Promise<Shifts> {
  return await page.evaluate(() => (window as unknown as { shifts: Shifts }).shifts);
}
