import { expect, test } from "vitest";
import { Reach } from "./reach.ts";

function world(answers: (boolean | "none")[]) {
  const waiting: (() => void)[] = [];
  const asked: string[] = [];
  const reach = new Reach({
    fetch: async (url) => {
      asked.push(url);
      const answer = answers.shift();
      if (answer === "none") throw new TypeError("Failed to fetch");
      return { ok: answer ?? true };
    },
    setTimeout: (act) => waiting.push(act),
  });
  const told: boolean[] = [];
  reach.watch(() => told.push(reach.awaySince !== null));
  const later = async () => {
    waiting.shift()?.();
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };
  return { reach, waiting, asked, told, later };
}

test("a server that is away is asked until it answers", async () => {
  const { reach, waiting, asked, told, later } = world(["none", false, true]);
  reach.missed();
  reach.missed(); // of many requests at once the first counts
  expect(waiting.length).toBe(1);
  await later();
  await later();
  expect(reach.awaySince).not.toBeNull();
  await later();
  expect(reach.awaySince).toBeNull();
  expect(told).toEqual([true, false]);
  expect([asked.length, waiting.length]).toEqual([3, 0]);
});

test("any answer ends the waiting, and nobody is asked any more", async () => {
  const { reach, waiting, asked, told, later } = world([]);
  reach.missed();
  reach.answered();
  await later();
  expect([told, asked, waiting]).toEqual([[true, false], [], []]);
});

test("who asks is told", async () => {
  const { reach } = world([true, "none"]);
  expect(await reach.probe()).toBe(true);
  expect(await reach.probe()).toBe(false);
  expect(reach.awaySince).not.toBeNull();
});
