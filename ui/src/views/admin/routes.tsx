import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { session } from "@/api/queries.ts";
import { teamRoute } from "@/app/roots.tsx";
import { may } from "@/state/session.ts";

const adminRoute = createRoute({
  getParentRoute: () => teamRoute,
  path: "admin",
  staticData: { crumb: "Admin" },
  component: lazyRouteComponent(() => import("./Admin.tsx"), "Admin"),
});

const indexRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "/",
  beforeLoad: async ({ context, params }) => {
    const { role } = await context.queries.ensureQueryData(session());
    const to = may(role, "admin") ? "/t/$team/admin/users" : "/t/$team/admin/tokens";
    throw redirect({ to, params, replace: true });
  },
});

const usersRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "users",
  component: lazyRouteComponent(() => import("./Users.tsx"), "Users"),
});

const tokensRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "tokens",
  component: lazyRouteComponent(() => import("./Tokens.tsx"), "Tokens"),
});

const logsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "logs",
  component: lazyRouteComponent(() => import("./Logs.tsx"), "Logs"),
});

const auditRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "audit",
  component: lazyRouteComponent(() => import("./Audit.tsx"), "Audit"),
});

export const adminTree = adminRoute.addChildren([
  indexRoute,
  usersRoute,
  tokensRoute,
  logsRoute,
  auditRoute,
]);
