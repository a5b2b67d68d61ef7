import type { SearchAnswer } from "@/api/types.ts";
import { search } from "@/lib/fuzzy.ts";
import { PAGES } from "./navigation.ts";

/** Something the palette leads to. `href` is below the team's pages. */
export interface Found {
  key: string;
  word: string;
  kind: string;
  state?: string;
  href: string;
}

/** What has no name may have been printed. */
export const LOGS = "search";

/** What the server found, DAGs first; pages by their names; at last a search in what was printed. */
export function results(query: string, team: string, answer: SearchAnswer | undefined): Found[] {
  const root = `/t/${encodeURIComponent(team)}`;
  const pages = search(query, PAGES, (page) => page.word).map(({ item }) => ({
    key: item.to,
    word: item.word,
    kind: "page",
    href: item.to.replace("/t/$team", root),
  }));
  if (!answer || !query.trim()) return pages;
  const dag = (id: string) => `${root}/dags/${encodeURIComponent(id)}`;
  return [
    ...answer.dags.map(({ dag_id }) => ({
      key: `dag ${dag_id}`,
      word: dag_id,
      kind: "DAG",
      href: dag(dag_id),
    })),
    ...answer.runs.map((run) => ({
      key: `run ${run.run_id}`,
      word: `${run.run_id} · ${run.dag_id}`,
      kind: "run",
      state: run.state,
      href: `${root}/runs/${encodeURIComponent(run.run_id)}`,
    })),
    ...answer.tasks.map(({ dag_id, task_id }) => ({
      key: `task ${dag_id} ${task_id}`,
      word: `${task_id} · ${dag_id}`,
      kind: "task",
      href: `${dag(dag_id)}?task=${encodeURIComponent(task_id)}`,
    })),
    ...pages,
    {
      key: "logs",
      word: `Search all logs for “${query}”`,
      kind: LOGS,
      href: `${root}/logs?q=${encodeURIComponent(query.trim())}`,
    },
  ];
}
