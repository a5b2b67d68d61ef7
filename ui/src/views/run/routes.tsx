import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { runsRoute } from "@/app/routes.tsx";
import { selectionOf } from "@/lib/selection.ts";
import { choicesOf } from "../log/choices.ts";

/** A run: what happened, and what now. The selected task instance is in the search. */
export const runRoute = createRoute({
  getParentRoute: () => runsRoute,
  path: "$run",
  staticData: { crumb: "$run" },
  validateSearch: selectionOf,
  component: lazyRouteComponent(() => import("./RunPage.tsx"), "RunPage"),
});

/** The log of an attempt, on a page of its own; the lines that are meant are in the search. */
export const logRoute = createRoute({
  getParentRoute: () => runsRoute,
  path: "$run/log",
  staticData: { crumb: "$run" },
  validateSearch: (search: Record<string, unknown>) => ({
    ...selectionOf(search),
    ...choicesOf(search),
  }),
  component: lazyRouteComponent(() => import("../log/LogPage.tsx"), "LogPage"),
});
