import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import type { Page, Run } from "@/api/types.ts";

/** What the stream says of a run: what changed in it, not all of it. */
export type RunDelta = { run_id: string; dag_id: string } & Partial<
  Pick<Run, "state" | "reason" | "started_at" | "ended_at" | "counts" | "version">
>;

/** Put a delta into everything that shows the run, without asking the server again. */
export function applyRun(client: QueryClient, delta: RunDelta): void {
  client.setQueryData<Run>(["run", delta.run_id], (run) => run && { ...run, ...delta });
  client.setQueriesData<InfiniteData<Page<Run>>>({ queryKey: ["runs"] }, (data) =>
    data ? patched(data, delta) : data,
  );
}

/** The same object when the run is in none of the pages: nothing is rendered for nothing. */
export function patched(data: InfiniteData<Page<Run>>, delta: RunDelta): InfiniteData<Page<Run>> {
  const holds = (page: Page<Run>) => page.items.some((run) => run.run_id === delta.run_id);
  if (!data.pages.some(holds)) return data;
  const pages = data.pages.map((page) =>
    holds(page)
      ? {
          ...page,
          items: page.items.map((run) =>
            run.run_id === delta.run_id ? { ...run, ...delta } : run,
          ),
        }
      : page,
  );
  return { ...data, pages };
}
