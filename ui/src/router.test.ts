import { expect, test } from "vitest";
import type { Ids } from "../e2e/gallery.ts";
import { DIALOGS } from "../e2e/opened.ts";
import { NEW, PAGES } from "../e2e/shots.ts";
import { TROUBLES } from "../e2e/troubles.ts";
import { router } from "./router.tsx";

const IDS = new Proxy({}, { get: () => "an-id" }) as Ids;
/** They show nothing of their own: each leads to another. */
const LEADING = ["/", "/t/$team/admin/", "/t/$team/dags/$dag/"];

test("every page is among those that are looked at, in pictures and by axe", () => {
  const seen = new Set<string>();
  for (const { path } of [...NEW, ...PAGES, ...DIALOGS, ...TROUBLES]) {
    const address = typeof path === "string" ? path : path(IDS);
    const { pathname } = new URL(address, "http://localhost");
    for (const { routeId } of router.matchRoutes(pathname, {})) seen.add(routeId);
  }
  const pages = Object.values(router.routesById).filter(({ children }) => !children);
  expect(pages.length).toBeGreaterThan(40);
  const unseen = pages.filter(({ id, fullPath }) => !seen.has(id) && !LEADING.includes(fullPath));
  expect(unseen.map(({ fullPath }) => fullPath)).toEqual([]);
});
