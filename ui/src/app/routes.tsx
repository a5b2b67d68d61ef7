import { createRoute, redirect } from "@tanstack/react-router";
import { runFilterIn } from "@/lib/runFilter.ts";
import { strip } from "@/lib/selection.ts";
import { spanIn } from "@/lib/span.ts";
import { RUN_STATES } from "@/lib/states.ts";
import { spanNamed } from "@/lib/timeline/spans.ts";
import { wishOf } from "@/views/logs/wish.ts";
import { lazyPage } from "./lazyPage.ts";
import { rootRoute, signedIn, teamRoute } from "./roots.tsx";

type Search = Record<string, unknown>;

const PAUSED = ["true", "false"] as const;
const SUBJECTS = ["run", "task_instance", "dag", "pool", "backfill", "agent_session"] as const;
/** Of the latest run of a DAG, or that it has none. */
const DAG_STATES = [...RUN_STATES, "never"] as const;
const DAG_SORTS = [
  "-name",
  "owner",
  "-owner",
  "next_run",
  "-next_run",
  "last_run",
  "-last_run",
] as const;
const ASSET_SORTS = ["-name", "last_event", "-last_event"] as const;
const word = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

export const indexRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  beforeLoad: async ({ context, location }) => {
    const { team } = await signedIn(context.queries, location.href);
    throw redirect({ to: "/t/$team/overview", params: { team }, replace: true });
  },
});

export const linkedRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/linked",
  component: lazyPage(() => import("@/views/linked/Linked.tsx"), "Linked"),
});

export const linkedQuestionRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/question",
  component: lazyPage(() => import("@/views/linked/LinkedQuestion.tsx"), "LinkedQuestion"),
});

export const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  validateSearch: (search: Search) => strip({ next: word(search.next) }),
  component: lazyPage(() => import("@/views/login/Login.tsx"), "Login"),
});

export const returnedRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login/$way",
  component: lazyPage(() => import("@/views/login/Returned.tsx"), "Returned"),
});

export const overviewRoute = createRoute({
  getParentRoute: () => teamRoute,
  path: "overview",
  staticData: { crumb: "Home" },
  component: lazyPage(() => import("@/views/home/Home.tsx"), "Home"),
});

export const dagsRoute = createRoute({
  getParentRoute: () => teamRoute,
  path: "dags",
  staticData: { crumb: "DAGs" },
});

export const dagListRoute = createRoute({
  getParentRoute: () => dagsRoute,
  path: "/",
  validateSearch: (search: Search) =>
    strip({
      q: word(search.q),
      tag: word(search.tag),
      owner: word(search.owner),
      state: DAG_STATES.find((state) => state === search.state),
      paused: PAUSED.find((paused) => paused === search.paused),
      sort: DAG_SORTS.find((sort) => sort === search.sort),
    }),
  component: lazyPage(() => import("@/views/dags/DagList.tsx"), "DagList"),
});

export const runsRoute = createRoute({
  getParentRoute: () => teamRoute,
  path: "runs",
  staticData: { crumb: "Runs" },
});

export const runListRoute = createRoute({
  getParentRoute: () => runsRoute,
  path: "/",
  validateSearch: (search: Search) =>
    strip({
      dag: word(search.dag),
      backfill: word(search.backfill),
      q: word(search.q),
      ...runFilterIn({ only: search.state, ...search }), // as links had it before
    }),
  component: lazyPage(() => import("@/views/runs/RunList.tsx"), "RunList"),
});

export const logsRoute = createRoute({
  getParentRoute: () => teamRoute,
  path: "logs",
  staticData: { crumb: "Logs" },
  validateSearch: wishOf,
  component: lazyPage(() => import("@/views/logs/LogSearch.tsx"), "LogSearch"),
});

export const slotsRoute = createRoute({
  getParentRoute: () => teamRoute,
  path: "slots",
  staticData: { crumb: "Slots" },
  component: lazyPage(() => import("@/views/slots/Slots.tsx"), "Slots"),
});

export const timelineRoute = createRoute({
  getParentRoute: () => teamRoute,
  path: "timeline",
  staticData: { crumb: "Timeline" },
  validateSearch: (search: Search) => strip({ span: spanNamed(search.span) }),
  component: lazyPage(() => import("@/views/timeline/Timeline.tsx"), "Timeline"),
});

export const backfillsRoute = createRoute({
  getParentRoute: () => teamRoute,
  path: "backfills",
  staticData: { crumb: "Backfills" },
  component: lazyPage(() => import("@/views/backfills/Backfills.tsx"), "Backfills"),
});

export const eventsRoute = createRoute({
  getParentRoute: () => teamRoute,
  path: "events",
  staticData: { crumb: "Events" },
  validateSearch: (search: Search) =>
    strip({
      subject: SUBJECTS.find((subject) => subject === search.subject),
      name: word(search.name),
      ...spanIn(search),
      all: search.all === "true" || search.all === true ? ("true" as const) : undefined,
      actor: word(search.actor),
      dag: word(search.dag),
      run: word(search.run),
      task: word(search.task),
    }),
  component: lazyPage(() => import("@/views/events/Events.tsx"), "Events"),
});

export const questionsRoute = createRoute({
  getParentRoute: () => teamRoute,
  path: "questions",
  staticData: { crumb: "Questions" },
  component: lazyPage(() => import("@/views/questions/Questions.tsx"), "Questions"),
});

export const dependenciesRoute = createRoute({
  getParentRoute: () => teamRoute,
  path: "dependencies",
  staticData: { crumb: "Dependencies" },
  validateSearch: (search: Search) => strip({ dag: word(search.dag) }),
  component: lazyPage(() => import("@/views/dependencies/Dependencies.tsx"), "Dependencies"),
});

export const assetsRoute = createRoute({
  getParentRoute: () => teamRoute,
  path: "assets",
  staticData: { crumb: "Assets" },
});

export const assetListRoute = createRoute({
  getParentRoute: () => assetsRoute,
  path: "/",
  validateSearch: (search: Search) =>
    strip({ q: word(search.q), sort: ASSET_SORTS.find((sort) => sort === search.sort) }),
  component: lazyPage(() => import("@/views/assets/Assets.tsx"), "Assets"),
});

export const assetRoute = createRoute({
  getParentRoute: () => assetsRoute,
  path: "detail", // names of assets may contain slashes
  staticData: { crumb: "Asset" },
  validateSearch: (search: Search) => ({ asset: String(search.asset ?? "") }),
  component: lazyPage(() => import("@/views/assets/AssetPage.tsx"), "AssetPage"),
});

export const importErrorsRoute = createRoute({
  getParentRoute: () => teamRoute,
  path: "import-errors",
  staticData: { crumb: "Broken files" },
  component: lazyPage(() => import("@/views/imports/ImportErrors.tsx"), "ImportErrors"),
});
