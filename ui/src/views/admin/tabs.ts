export const TABS = [
  { to: "/t/$team/admin/users", word: "Users", needs: "admin" },
  { to: "/t/$team/admin/tokens", word: "Tokens", needs: "viewer" },
  { to: "/t/$team/admin/logs", word: "Logs", needs: "viewer" },
  { to: "/t/$team/admin/audit", word: "Audit", needs: "admin" },
] as const;
