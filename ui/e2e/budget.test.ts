import { readFileSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const BUILT = fileURLToPath(new URL("../../src/headway/ui_dist/", import.meta.url));
const BUDGET_BYTES = 400_000;

test("what the first page needs stays small", () => {
  const html = readFileSync(`${BUILT}index.html`, "utf8");
  const files = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.(?:js|css))"/g)];
  const sizes = files.map(([, file]) => statSync(`${BUILT}${file}.gz`).size);
  expect(sizes.length).toBeGreaterThan(1);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(BUDGET_BYTES);
});

test("nothing in the page needs a looser policy: no script, style or handler of its own", () => {
  const html = readFileSync(`${BUILT}index.html`, "utf8");
  expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/);
});
