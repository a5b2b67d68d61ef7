import { createRouter, parseSearchWith, stringifySearchWith } from "@tanstack/react-router";
import { rootRoute, teamRoute } from "./app/roots.tsx";
import {
  dagListRoute,
  dagsRoute,
  indexRoute,
  loginRoute,
  runListRoute,
  runsRoute,
} from "./app/routes.tsx";
import { NotFound, PageError } from "./app/Trouble.tsx";
import { queries } from "./queries.ts";
import { dagTree } from "./views/dag/routes.tsx";
import { runRoute } from "./views/run/routes.tsx";

const tree = rootRoute.addChildren([
  indexRoute,
  loginRoute,
  teamRoute.addChildren([
    dagsRoute.addChildren([dagListRoute, dagTree]),
    runsRoute.addChildren([runListRoute, runRoute]),
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
