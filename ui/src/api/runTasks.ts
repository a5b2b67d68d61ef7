import { queryOptions } from "@tanstack/react-query";
import { pollWhileCut } from "@/state/live.ts";
import { request } from "./request.ts";

const WAITING_MS = 5_000;

/** The tasks of a run with their instances counted; upstream stands first. */
export const runTasks = (runId: string) =>
  queryOptions({
    queryKey: ["run-tasks", runId],
    queryFn: async ({ signal }) => {
      const path = { run_id: runId };
      return (await request("get", "/runs/{run_id}/tasks", { path, signal })).items;
    },
    staleTime: 5_000,
    // What holds a task back may change without a change of the task.
    refetchInterval: ({ state }) =>
      state.data?.some((task) => task.blocked_reason !== null) ? WAITING_MS : pollWhileCut(),
  });

export const newestRun = (dagId: string) =>
  queryOptions({
    queryKey: ["newest-run", dagId],
    queryFn: async ({ signal }) => {
      const query = { dag_id: dagId, limit: 1 };
      return (await request("get", "/runs", { query, signal })).items[0] ?? null;
    },
  });
