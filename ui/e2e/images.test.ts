import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, inject, test } from "vitest";
import { ask, ran } from "./api.ts";
import { inBrowser, violationsInBoth } from "./browser.ts";
import { PYTHON } from "./server.ts";

/** The images that a run used: the tag as people wrote it, and the digest of each. */
const server = inject("server");
const { page } = inBrowser();
const DATA = join(dirname(server.dags), "data");
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TELL = fileURLToPath(new URL("images.py", import.meta.url));
const [ONE, OTHER] = [`sha256:${"1f".repeat(32)}`, `sha256:${"2e".repeat(32)}`];

function python(...words: string[]): string {
  const env = { ...process.env, PYTHONPATH: ROOT, NO_COLOR: "1" };
  // All that `show` says of a run but its tasks is for people, and on standard error.
  return execFileSync("sh", ["-c", 'exec "$0" "$@" 2>&1', PYTHON, ...words], {
    env,
    encoding: "utf8",
  });
}

test("a run tells the tag and the digest of its images: page, API and command line", async () => {
  const run = await ran(server, "orders");
  const plain = await ran(server, "orders");
  python(TELL, DATA, run, "acme/jobs:2", ONE, OTHER);
  python(TELL, DATA, run, "registry.example.org/tools/convert", OTHER);

  const { images } = await ask<{ images: Record<string, string[]> }>(server, `/runs/${run}`);
  expect(images).toEqual({
    "acme/jobs:2": [ONE, OTHER],
    "registry.example.org/tools/convert": [OTHER],
  });
  const shown = python("-m", "headway", "show", run, "--data", DATA);
  expect(shown).toContain(`image acme/jobs:2: ${ONE}, ${OTHER}`);

  await page().goto(`/t/default/runs/${run}`);
  const facts = page().locator("dl > div").filter({ hasText: "Image" });
  await facts.nth(1).waitFor();
  expect(await facts.allInnerTexts()).toEqual([
    expect.stringMatching(
      /acme\/jobs:2\s+sha256:1f1f1f1f1f1f\s+used by later pods\s+sha256:2e2e2e2e2e2e\s+used by some pods/,
    ),
    expect.stringMatching(/registry\.example\.org\/tools\/convert\s+sha256:2e2e2e2e2e2e\s*$/),
  ]);
  expect(await facts.first().locator("code").nth(1).getAttribute("title")).toBe(ONE);
  expect(await violationsInBoth(page())).toEqual([]);

  await page().goto(`/t/default/runs/${plain}`);
  await page().getByText("Logical date").first().waitFor();
  expect(await page().locator("dl > div").filter({ hasText: "Image" }).count()).toBe(0);
});
