import { Link } from "@tanstack/react-router";
import type { Run } from "@/api/types.ts";
import { Tabs, tabClass } from "@/parts/Tabs.tsx";
import { useTeam } from "@/state/session.ts";
import { TABS } from "../dag/tabs.ts";

/** The same run in the views of its DAG, and in what happened. */
export function RunTabs({ run: { run_id, dag_id } }: { run: Run }) {
  const team = useTeam();
  return (
    <Tabs label="Views of this run">
      <Link
        to="/t/$team/runs/$run"
        params={{ team, run: run_id }}
        activeOptions={{ includeSearch: false }}
        className={tabClass}
      >
        Run
      </Link>
      {TABS.map(({ to, word }) => (
        <Link
          key={to}
          to={to}
          params={{ team, dag: dag_id }}
          search={{ run: run_id }}
          className={tabClass}
        >
          {word}
        </Link>
      ))}
      <Link to="/t/$team/events" params={{ team }} search={{ run: run_id }} className={tabClass}>
        Events
      </Link>
      <Link to="/t/$team/logs" params={{ team }} search={{ run: run_id }} className={tabClass}>
        Logs
      </Link>
    </Tabs>
  );
}
