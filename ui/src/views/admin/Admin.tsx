import { Link, Outlet } from "@tanstack/react-router";
import { Page } from "@/parts/Page.tsx";
import { Tabs, tabClass } from "@/parts/Tabs.tsx";
import { may, useSession, useTeam } from "@/state/session.ts";
import { TABS } from "./tabs.ts";

/** Who may do what here, by what means, and what they did. */
export function Admin() {
  const { role } = useSession();
  const team = useTeam();
  return (
    <Page title="Admin" note={`Team ${team}`}>
      <Tabs label="Admin sections">
        {TABS.filter((tab) => may(role, tab.needs)).map(({ to, word }) => (
          <Link key={to} to={to} params={{ team }} className={tabClass}>
            {word}
          </Link>
        ))}
      </Tabs>
      <Outlet />
    </Page>
  );
}
