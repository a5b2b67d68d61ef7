import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { dagsRoute } from "@/app/routes.tsx";
import { selectionOf } from "@/lib/selection.ts";

/**
 * A DAG and its views. The selection is a search parameter of the DAG, so that every view has it:
 * `useSelection`. A new view is a route here, a line in `tree`, and a line in `tabs.ts`.
 */
export const dagRoute = createRoute({
  getParentRoute: () => dagsRoute,
  path: "$dag",
  staticData: { crumb: "$dag" },
  validateSearch: selectionOf,
  component: lazyRouteComponent(() => import("./DagFrame.tsx"), "DagFrame"),
});

const indexRoute = createRoute({
  getParentRoute: () => dagRoute,
  path: "/",
  beforeLoad: ({ params, search }) => {
    throw redirect({ to: "/t/$team/dags/$dag/runs", params, search, replace: true });
  },
});

const runsRoute = createRoute({
  getParentRoute: () => dagRoute,
  path: "runs",
  component: lazyRouteComponent(() => import("./DagRuns.tsx"), "DagRuns"),
});

const triggerRoute = createRoute({
  getParentRoute: () => dagRoute,
  path: "run",
  staticData: { crumb: "Run" },
  component: lazyRouteComponent(() => import("./trigger/Trigger.tsx"), "Trigger"),
});

export const dagTree = dagRoute.addChildren([indexRoute, runsRoute, triggerRoute]);
