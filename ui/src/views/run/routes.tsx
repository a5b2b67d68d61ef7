import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { runsRoute } from "@/app/routes.tsx";
import { selectionOf } from "@/lib/selection.ts";

/** A run: what happened, and what now. The selected task instance is in the search. */
export const runRoute = createRoute({
  getParentRoute: () => runsRoute,
  path: "$run",
  staticData: { crumb: "$run" },
  validateSearch: selectionOf,
  component: lazyRouteComponent(() => import("./RunPage.tsx"), "RunPage"),
});
