import { createRouter, parseSearchWith, stringifySearchWith } from "@tanstack/react-router";
import { rootRoute, teamRoute } from "./app/roots.tsx";
import * as pages from "./app/routes.tsx";
import { NotFound, PageError } from "./app/Trouble.tsx";
import { queries } from "./queries.ts";
import { adminTree } from "./views/admin/routes.tsx";
import { dagTree } from "./views/dag/routes.tsx";
import { logRoute, runDiffRoute, runRoute } from "./views/run/routes.tsx";
import { sharedRoute } from "./views/shared/routes.tsx";

const tree = rootRoute.addChildren([
  pages.indexRoute,
  pages.loginRoute,
  pages.returnedRoute,
  pages.linkedRoute,
  pages.linkedQuestionRoute,
  teamRoute.addChildren([
    pages.overviewRoute,
    pages.dagsRoute.addChildren([pages.dagListRoute, dagTree]),
    pages.runsRoute.addChildren([pages.runListRoute, runRoute, runDiffRoute, logRoute]),
    pages.logsRoute,
    pages.slotsRoute,
    pages.timelineRoute,
    pages.backfillsRoute,
    pages.questionsRoute,
    pages.eventsRoute,
    pages.importErrorsRoute,
    pages.dependenciesRoute,
    pages.assetsRoute.addChildren([pages.assetListRoute, pages.assetRoute]),
    sharedRoute,
    adminTree,
  ]),
]);

/** The URL is the state: each page is a route, each choice on it a search parameter. */
export const router = createRouter({
  routeTree: tree,
  context: { queries },
  defaultPreload: "intent",
  defaultPendingMs: 300,
  defaultErrorComponent: PageError,
  defaultNotFoundComponent: NotFound,
  // Plain words: a run's id that looks like a number stays as it is written.
  parseSearch: parseSearchWith((value) => value),
  stringifySearch: stringifySearchWith(String),
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
