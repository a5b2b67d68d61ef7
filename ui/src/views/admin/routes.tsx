import { createRoute, redirect } from "@tanstack/react-router";
import { session } from "@/api/queries.ts";
import { lazyPage } from "@/app/lazyPage.ts";
import { teamRoute } from "@/app/roots.tsx";
import { may } from "@/state/session.ts";

const adminRoute = createRoute({
  getParentRoute: () => teamRoute,
  path: "admin",
  staticData: { crumb: "Admin" },
  component: lazyPage(() => import("./Admin.tsx"), "Admin"),
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
  component: lazyPage(() => import("./Users.tsx"), "Users"),
});

const connectionsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "connections",
  component: lazyPage(() => import("./connections/Connections.tsx"), "Connections"),
});

const variablesRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "variables",
  component: lazyPage(() => import("./variables/Variables.tsx"), "Variables"),
});

const webhooksRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "webhooks",
  component: lazyPage(() => import("./webhooks/Webhooks.tsx"), "Webhooks"),
});

const outboundRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "outbound",
  component: lazyPage(() => import("./outbound/OutboundWebhooks.tsx"), "OutboundWebhooks"),
});

const teamsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "teams",
  component: lazyPage(() => import("./teams/Teams.tsx"), "Teams"),
});

const tokensRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "tokens",
  component: lazyPage(() => import("./Tokens.tsx"), "Tokens"),
});

const youRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "you",
  component: lazyPage(() => import("./You.tsx"), "You"),
});

const grantsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "grants",
  component: lazyPage(() => import("./grants/Grants.tsx"), "Grants"),
});

const rolesRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "roles",
  component: lazyPage(() => import("./roles/Roles.tsx"), "Roles"),
});

const linksRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "links",
  component: lazyPage(() => import("./links/RunLinks.tsx"), "RunLinks"),
});

const logsRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "logs",
  component: lazyPage(() => import("./Logs.tsx"), "Logs"),
});

const auditRoute = createRoute({
  getParentRoute: () => adminRoute,
  path: "audit",
  component: lazyPage(() => import("./Audit.tsx"), "Audit"),
});

export const adminTree = adminRoute.addChildren([
  indexRoute,
  usersRoute,
  connectionsRoute,
  variablesRoute,
  webhooksRoute,
  outboundRoute,
  teamsRoute,
  tokensRoute,
  youRoute,
  grantsRoute,
  rolesRoute,
  linksRoute,
  logsRoute,
  auditRoute,
]);
