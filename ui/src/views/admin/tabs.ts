import type { Session } from "@/api/types.ts";
import { may } from "@/state/session.ts";

/** Without a need: everybody's. */
const TABS = [
  { to: "/t/$team/admin/users", word: "Users", needs: "member.read" },
  { to: "/t/$team/admin/roles", word: "Roles", needs: "role.manage" },
  { to: "/t/$team/admin/connections", word: "Connections", needs: "connection.read" },
  { to: "/t/$team/admin/variables", word: "Variables", needs: "variable.read" },
  { to: "/t/$team/admin/webhooks", word: "Webhooks", needs: "webhook.manage" },
  { to: "/t/$team/admin/outbound", word: "Outbound", needs: "webhook.manage" },
  { to: "/t/$team/admin/tokens", word: "Tokens", needs: null },
  { to: "/t/$team/admin/links", word: "Run links", needs: "run.link" },
  { to: "/t/$team/admin/you", word: "Your access", needs: null },
  { to: "/t/$team/admin/grants", word: "Grants", needs: "team.read" },
  { to: "/t/$team/admin/logs", word: "Retention", needs: "team.read" },
  { to: "/t/$team/admin/audit", word: "Audit", needs: "audit.read" },
  { to: "/t/$team/admin/teams", word: "Teams", needs: "platform admin" },
] as const;

/** What somebody may see of the administration; at least the tokens. */
export function tabsOf(session: Session) {
  return TABS.filter(({ needs }) => {
    if (needs === "platform admin") return session.is_platform_admin;
    return needs === null || may(session, needs);
  });
}
