import { useMutation, useQueries, useQueryClient } from "@tanstack/react-query";
import { made, preview } from "@/api/preview.ts";
import { request } from "@/api/request.ts";
import type { Run } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { isFinal } from "@/lib/states.ts";
import { messageOf } from "@/parts/ErrorState.tsx";
import { say } from "@/state/toasts.ts";
import type { Code } from "../../run/actions/useRunAction.ts";

export type Deed = "retry" | "clear" | "cancel" | "success" | "failed";

/** What a deed would reach in one run; with which code, where something runs again. */
export interface Reach {
  instances: number;
  code?: Code;
}

const path = (run: string) => ({ path: { run_id: run } });

function wish(deed: Deed, code: Code, dry_run: boolean) {
  const of = { tasks: [], map_indexes: [], downstream: true, upstream: false };
  return { ...of, failed_only: deed === "retry", code, dry_run };
}

/** Ask what would happen; nothing is done. A retry or clear takes the code that a single one would suggest. */
async function reach(deed: Deed, run: Run, signal: AbortSignal): Promise<Reach> {
  const { run_id } = run;
  if (deed === "cancel") {
    const open = Object.entries(run.counts).filter(([state]) => !isFinal(state));
    return { instances: open.reduce((total, [, count]) => total + count, 0) };
  }
  if (deed === "success" || deed === "failed") {
    const body = { state: deed, dry_run: true };
    const plan = preview(
      await request("post", "/runs/{run_id}/mark", { ...path(run_id), body, signal }),
    );
    return { instances: plan.marked.length };
  }
  const ask = (code: Code) =>
    request("post", "/runs/{run_id}/clear", {
      ...path(run_id),
      body: wish(deed, code, true),
      signal,
    });
  const plan = await ask("run");
  if (plan.choice?.advised !== "latest") return { instances: plan.cleared.length, code: "run" };
  return { instances: (await ask("latest")).cleared.length, code: "latest" };
}

export function useReaches(deed: Deed, runs: readonly Run[]) {
  return useQueries({
    queries: runs.map((run) => ({
      queryKey: ["bulk-plan", deed, run.run_id, run.state],
      queryFn: ({ signal }: { signal: AbortSignal }) => reach(deed, run, signal),
      retry: false,
      staleTime: 0,
      gcTime: 0,
    })),
  });
}

async function act(deed: Deed, run: string, code: Code): Promise<void> {
  if (deed === "cancel") await request("post", "/runs/{run_id}/cancel", path(run));
  else if (deed === "success" || deed === "failed")
    made(await request("post", "/runs/{run_id}/mark", { ...path(run), body: { state: deed } }));
  else
    await request("post", "/runs/{run_id}/clear", { ...path(run), body: wish(deed, code, false) });
}

/** One run after the other; a refusal of one does not stop the others, and is told. */
export function useBulk(deed: Deed) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (runs: readonly { run: string; code: Code }[]) => {
      const refused: unknown[] = [];
      for (const { run, code } of runs)
        await act(deed, run, code).catch((error) => refused.push(error));
      return { done: runs.length - refused.length, refused };
    },
    onSuccess: ({ done, refused }) => {
      if (done > 0) say("done", `${DONE[deed]} ${counted(done, "run")}`);
      if (refused.length > 0)
        say("failed", `${counted(refused.length, "run")} refused: ${messageOf(refused[0])}`);
    },
    onSettled: () => queries.invalidateQueries(),
  });
}

const DONE: Record<Deed, string> = {
  retry: "Retried",
  clear: "Cleared",
  cancel: "Cancelled",
  success: "Marked as success:",
  failed: "Marked as failed:",
};
