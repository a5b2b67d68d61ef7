import { useInfiniteQuery } from "@tanstack/react-query";
import { runLinks } from "@/api/queries.ts";
import { request } from "@/api/request.ts";
import type { RunLink } from "@/api/types.ts";
import { RunLink as LinkToRun } from "@/parts/links.tsx";
import type { Column } from "@/parts/Table.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import { who } from "../../events/describe.ts";
import { ListPage } from "../ListPage.tsx";
import { Revoke } from "../Revoke.tsx";

/** Links by which people without an account read a run. */
export function RunLinks() {
  return (
    <ListPage
      about="Anyone who has a link reads its run without signing in, until the link expires or is revoked."
      found={useInfiniteQuery(runLinks())}
      what="Run links"
      columns={COLUMNS}
      id={({ id }) => id}
      empty={{
        title: "No run links yet",
        command: "headway link create RUN",
        children: <p>Create one on the page of a run: Link…</p>,
      }}
    />
  );
}

const COLUMNS: readonly Column<RunLink>[] = [
  {
    key: "run",
    head: "Run",
    width: "minmax(126px, 1.4fr)",
    cell: ({ run_id }) => <LinkToRun run={run_id} />,
  },
  {
    key: "by",
    head: "Created by",
    width: "minmax(100px, 1fr)",
    secondary: true,
    cell: ({ created_by }) => <span>{who(created_by)}</span>,
  },
  {
    key: "shows",
    head: "Shows",
    width: "minmax(96px, 1.2fr)",
    secondary: true,
    cell: (link) => <span title={shown(link)}>{shown(link)}</span>,
  },
  {
    key: "used",
    head: "Last used",
    width: "96px",
    end: true,
    secondary: true,
    cell: ({ last_used_at }) => <RelativeTime at={last_used_at} />,
  },
  {
    key: "expires",
    head: "Expires",
    width: "96px",
    end: true,
    cell: ({ revoked_at, expires_at }) =>
      revoked_at ? "revoked" : <RelativeTime at={expires_at} />,
  },
  {
    key: "revoke",
    head: <span className="sr-only">Revoke</span>,
    width: "96px",
    end: true,
    cell: ({ id, run_id, revoked_at }) =>
      !revoked_at && (
        <Revoke
          what="link"
          name={`the link to ${run_id}`}
          noun="run-links"
          revoke={() => request("delete", "/run-links/{link_id}", { path: { link_id: id } })}
        >
          People who open the link will be told that it is not valid. You cannot undo this.
        </Revoke>
      ),
  },
];

/** What those who have the link see. */
function shown({ task_id, recipient, with_logs }: RunLink): string {
  if (task_id) return `the question of ${task_id}, for ${recipient}`;
  return with_logs ? "the run, with logs" : "the run";
}
