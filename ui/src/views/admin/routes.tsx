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
    const found = await context.queries.ensureQueryData(session());
    const to = may(found, "member.read") ? "/t/$team/admin/users" : "/t/$team/admin/tokens";
    throw redirect({ to, params, replace: true });
  },
});

const usersRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "users",
  component: lazyRouteComponent(() => import("./Users.tsx"), "Users"),
});

const connectionsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "connections",
  component: lazyRouteComponent(() => import("./connections/Connections.tsx"), "Connections"),
});

const variablesRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "variables",
  component: lazyRouteComponent(() => import("./variables/Variables.tsx"), "Variables"),
});

const teamsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "teams",
  component: lazyRouteComponent(() => import("./teams/Teams.tsx"), "Teams"),
});

const tokensRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "tokens",
  component: lazyRouteComponent(() => import("./Tokens.tsx"), "Tokens"),
});

const youRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "you",
  component: lazyRouteComponent(() => import("./You.tsx"), "You"),
});

const grantsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "grants",
  component: lazyRouteComponent(() => import("./grants/Grants.tsx"), "Grants"),
});

const rolesRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "roles",
  component: lazyRouteComponent(() => import("./roles/Roles.tsx"), "Roles"),
});

const linksRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "links",
  component: lazyRouteComponent(() => import("./links/RunLinks.tsx"), "RunLinks"),
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
  connectionsRoute,
  variablesRoute,
  teamsRoute,
  tokensRoute,
  youRoute,
  grantsRoute,
  rolesRoute,
  linksRoute,
  logsRoute,
  auditRoute,
]);
