import { createRoute } from "@tanstack/react-router";
import { diagnosis } from "@/api/diagnosis.ts";
import { run } from "@/api/queries.ts";
import { runTasks } from "@/api/runTasks.ts";
import { ahead } from "@/app/ahead.ts";
import { lazyPage } from "@/app/lazyPage.ts";
import { runsRoute } from "@/app/routes.tsx";
import { type Selection, selectionOf, strip } from "@/lib/selection.ts";
import { STATES } from "@/lib/states.ts";
import { choicesOf } from "../log/choices.ts";

/** Of the tasks of the run, `only` those with instances in one state. */
type RunSearch = Selection & { only?: string };

/** A run: what happened, and what now. The selected task instance is in the search. */
export const runRoute = createRoute({
  getParentRoute: () => runsRoute,
  path: "$run",
  staticData: { crumb: "$run" },
  validateSearch: (search: Record<string, unknown>): RunSearch => ({
    ...selectionOf(search),
    only: STATES.find((state) => state === search.only),
  }),
  loader: (opening) => {
    const { run: id } = opening.params;
    ahead(opening, run(id));
    ahead(opening, diagnosis(id));
    ahead(opening, runTasks(id));
  },
  component: lazyPage(() => import("./RunPage.tsx"), "RunPage"),
});

const word = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

/** The run beside another one of its DAG. */
export const runDiffRoute = createRoute({
  getParentRoute: () => runsRoute,
  path: "$run/diff",
  staticData: { crumb: "$run" },
  validateSearch: (search: Record<string, unknown>) => strip({ with: word(search.with) }),
  component: lazyPage(() => import("./diff/RunDiff.tsx"), "RunDiff"),
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
  component: lazyPage(() => import("../log/LogPage.tsx"), "LogPage"),
});
