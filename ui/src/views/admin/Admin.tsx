import { Link, Outlet } from "@tanstack/react-router";
import { Page } from "@/parts/Page.tsx";
import { Tabs, tabClass } from "@/parts/Tabs.tsx";
import { useSession, useTeam } from "@/state/session.ts";
import { tabsOf } from "./tabs.ts";

/** Who may do what here, by what means, and what they did. */
export function Admin() {
  const shown = tabsOf(useSession());
  const team = useTeam();
  return (
    <Page title="Admin" note={`Team ${team}`}>
      <Tabs label="Admin sections">
        {shown.map(({ to, word }) => (
          <Link key={to} to={to} params={{ team }} className={tabClass}>
            {word}
          </Link>
        ))}
      </Tabs>
      <Outlet />
    </Page>
  );
}
