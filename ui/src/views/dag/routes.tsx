import { createRoute, redirect } from "@tanstack/react-router";
import { dag } from "@/api/queries.ts";
import { newestRun } from "@/api/runTasks.ts";
import { ahead } from "@/app/ahead.ts";
import { lazyPage } from "@/app/lazyPage.ts";
import { dagsRoute } from "@/app/routes.tsx";
import { runFilterIn } from "@/lib/runFilter.ts";
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
  loader: (opening) => {
    ahead(opening, dag(opening.params.dag));
    ahead(opening, newestRun(opening.params.dag));
  },
  component: lazyPage(() => import("./DagFrame.tsx"), "DagFrame"),
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
  component: lazyPage(() => import("./grid/Grid.tsx"), "Grid"),
});

const FOCUS = ["upstream", "downstream", "both"] as const;

const graphRoute = createRoute({
  getParentRoute: () => dagRoute,
  path: "graph",
  validateSearch: (search: Search) =>
    strip({
      open: word(search.open),
      focus: FOCUS.find((focus) => focus === search.focus),
      only: typeof search.only === "boolean" ? search.only : undefined,
    }),
  component: lazyPage(() => import("./graph/Graph.tsx"), "Graph"),
});

const SORTS = ["p50_s", "p95_s", "wait_p50_s", "trend_pct"] as const;
const ORDERS = ["duration", "wait"] as const;

const ganttRoute = createRoute({
  getParentRoute: () => dagRoute,
  path: "gantt",
  validateSearch: (search: Search) =>
    strip({ sort: ORDERS.find((sort) => sort === search.sort), zoom: word(search.zoom) }),
  component: lazyPage(() => import("./gantt/Gantt.tsx"), "Gantt"),
});

const whole = (value: unknown) =>
  typeof value === "number" && Number.isInteger(value) && value > 0 ? value : undefined;

const durationsRoute = createRoute({
  getParentRoute: () => dagRoute,
  path: "durations",
  validateSearch: (search: Search) =>
    strip({ days: whole(search.days), sort: SORTS.find((sort) => sort === search.sort) }),
  component: lazyPage(() => import("./durations/Durations.tsx"), "Durations"),
});

const calendarRoute = createRoute({
  getParentRoute: () => dagRoute,
  path: "calendar",
  validateSearch: (search: Search) =>
    strip({
      day: word(search.day),
      measure: search.measure === "duration" ? ("duration" as const) : undefined,
    }),
  component: lazyPage(() => import("./calendar/Calendar.tsx"), "Calendar"),
});

const codeRoute = createRoute({
  getParentRoute: () => dagRoute,
  path: "code",
  validateSearch: (search: Search) => strip({ version: whole(search.version) }),
  component: lazyPage(() => import("./code/Code.tsx"), "Code"),
});

const versionsRoute = createRoute({
  getParentRoute: () => dagRoute,
  path: "versions",
  validateSearch: (search: Search) =>
    strip({
      from: whole(search.from),
      to: whole(search.to),
      split: search.split === true ? true : undefined,
    }),
  component: lazyPage(() => import("./versions/Versions.tsx"), "Versions"),
});

const runsRoute = createRoute({
  getParentRoute: () => dagRoute,
  path: "runs",
  validateSearch: runFilterIn,
  component: lazyPage(() => import("./DagRuns.tsx"), "DagRuns"),
});

const airflowRoute = createRoute({
  getParentRoute: () => dagRoute,
  path: "airflow",
  validateSearch: (search: Search) => strip({ of: word(search.of) }),
  component: lazyPage(() => import("./airflow/AirflowRuns.tsx"), "AirflowRuns"),
});

const triggerRoute = createRoute({
  getParentRoute: () => dagRoute,
  path: "run",
  staticData: { crumb: "Run" },
  component: lazyPage(() => import("./trigger/Trigger.tsx"), "Trigger"),
});

export const dagTree = dagRoute.addChildren([
  indexRoute,
  gridRoute,
  graphRoute,
  ganttRoute,
  runsRoute,
  calendarRoute,
  durationsRoute,
  codeRoute,
  versionsRoute,
  airflowRoute,
  triggerRoute,
]);
