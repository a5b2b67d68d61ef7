/** The pages when something is wrong: an address, a right, the server. */
import type { Page, Route } from "playwright-core";
import type { Shot } from "./shots.ts";

const TEAM = "/t/default";

const answered =
  (path: string, status: number, detail: string) =>
  (page: Page): Promise<unknown> =>
    page.route(path, (route) =>
      route.fulfill({ status, contentType: "application/problem+json", body: problem(detail) }),
    );

const problem = (detail: string) =>
  JSON.stringify({ type: "about:blank", title: "trouble", status: 500, detail });

/** Home of a server on which nothing has got through for an hour. */
async function unwell(page: Page): Promise<void> {
  await page.route("**/api/v1/overview*", async (route: Route) => {
    const response = await route.fetch();
    const home = await response.json();
    const since = "got no run to success for 1 h: its agents do not answer";
    for (const part of home.components)
      if (part.name === "scheduler") Object.assign(part, { healthy: false, detail: since });
    await route.fulfill({ response, json: home });
  });
}

async function away(page: Page): Promise<void> {
  await page.route("**/api/**", (route) => route.abort());
  await page.keyboard.press("g");
  await page.keyboard.press("b");
}

const SHOTS: readonly Shot[] = [
  { name: "not-found", path: `${TEAM}/nowhere`, shows: /Page not found/ },
  { name: "not-found-run", path: `${TEAM}/runs/nosuchrun`, shows: /There is no run/ },
  { name: "not-found-dag", path: `${TEAM}/dags/nosuch/grid`, shows: /There is no DAG/ },
  { name: "not-found-asset", path: `${TEAM}/assets/detail?asset=no`, shows: /There is no asset/ },
  { name: "not-found-team", path: "/t/nosuch/dags", shows: /cannot see this page/ },
  {
    name: "forbidden",
    path: `${TEAM}/admin/audit`,
    shows: /may not|not allowed|role/i,
    who: "viewer",
  },
  {
    name: "broken-list",
    path: `${TEAM}/runs`,
    shows: /could not be shown/,
    trouble: answered("**/api/v1/runs*", 500, "the database does not answer"),
  },
  { name: "unwell", path: `${TEAM}/overview`, shows: /its agents do not answer/, trouble: unwell },
  { name: "away", path: `${TEAM}/slots`, act: away, shows: /Server unreachable, retrying/ },
  {
    name: "login-wrong",
    path: "/login",
    who: "stranger",
    shows: /Wrong user name/,
    act: async (page) => {
      await page.getByLabel("Name").fill("carol");
      await page.getByLabel("Password").fill("not hers");
      await page.getByRole("button", { name: "Sign in" }).click();
    },
  },
];

export const TROUBLES: readonly Shot[] = SHOTS.map((shot) => ({ ...shot, isRefused: true }));
