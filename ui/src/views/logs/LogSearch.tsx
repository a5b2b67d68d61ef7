import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { Page } from "@/parts/Page.tsx";
import { Found } from "./Found.tsx";
import { Question } from "./Question.tsx";
import type { Wish } from "./wish.ts";

/** Where did a task print that? In the logs of all runs, the newest first. */
export function LogSearch() {
  const wish = useSearch({ from: "/t/$team/logs" });
  const navigate = useNavigate({ from: "/t/$team/logs" });
  const set = useCallback(
    (change: Wish) => navigate({ search: (before) => ({ ...before, ...change }), replace: true }),
    [navigate],
  );
  return (
    <Page title="Logs">
      <Question wish={wish} set={set} />
      {wish.q ? (
        <Found key={JSON.stringify(wish)} wish={wish} set={set} />
      ) : (
        <EmptyState title={wish.run ? "Search in all logs of this run" : "Search in all logs"}>
          <p>
            Enter part of an error message, an id or a table name. All task output is searched,
            newest run first, and each match links to its log. Use the filters to search fewer runs.
          </p>
          <p>
            As a regular expression: <code>timed? ?out|deadlock</code>
          </p>
        </EmptyState>
      )}
    </Page>
  );
}
