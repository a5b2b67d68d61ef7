import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { dagsRoute } from "@/app/routes.tsx";
import { selectionOf, strip } from "@/lib/selection.ts";

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
    throw redirect({ to: "/t/$team/dags/$dag/grid", params, search, replace: true });
  },
});

type Search = Record<string, unknown>;

const word = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);
const size = (value: unknown) => (typeof value === "number" && value > 0 ? value : undefined);

const gridRoute = createRoute({
  getParentRoute: () => dagRoute,
  path: "grid",
  validateSearch: (search: Search) =>
    strip({ closed: word(search.closed), cell: size(search.cell) }),
  component: lazyRouteComponent(() => import("./grid/Grid.tsx"), "Grid"),
});

const FOCUS = ["upstream", "downstream", "both"] as const;

const graphRoute = createRoute({
  getParentRoute: () => dagRoute,
  path: "graph",
  validateSearch: (search: Search) =>
    strip({ open: word(search.open), focus: FOCUS.find((focus) => focus === search.focus) }),
  component: lazyRouteComponent(() => import("./graph/Graph.tsx"), "Graph"),
});

const ORDERS = ["duration", "wait"] as const;

const ganttRoute = createRoute({
  getParentRoute: () => dagRoute,
  path: "gantt",
  validateSearch: (search: Search) => strip({ sort: ORDERS.find((sort) => sort === search.sort) }),
  component: lazyRouteComponent(() => import("./gantt/Gantt.tsx"), "Gantt"),
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

export const dagTree = dagRoute.addChildren([
  indexRoute,
  gridRoute,
  graphRoute,
  ganttRoute,
  runsRoute,
  triggerRoute,
]);
