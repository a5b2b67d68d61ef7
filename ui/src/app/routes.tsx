import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { strip } from "@/lib/selection.ts";
import { rootRoute, signedIn, teamRoute } from "./roots.tsx";

type Search = Record<string, unknown>;

const word = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

export const indexRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  beforeLoad: async ({ context, location }) => {
    const { team } = await signedIn(context.queries, location.href);
    throw redirect({ to: "/t/$team/dags", params: { team }, replace: true });
  },
});

export const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  validateSearch: (search: Search) => strip({ next: word(search.next) }),
  component: lazyRouteComponent(() => import("@/views/login/Login.tsx"), "Login"),
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
      state: word(search.state),
      paused: word(search.paused),
    }),
  component: lazyRouteComponent(() => import("@/views/dags/DagList.tsx"), "DagList"),
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
      state: word(search.state),
      trigger: word(search.trigger),
      backfill: word(search.backfill),
      q: word(search.q),
    }),
  component: lazyRouteComponent(() => import("@/views/runs/RunList.tsx"), "RunList"),
});
