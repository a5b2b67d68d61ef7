import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { path, request } from "@/api/request.ts";
import type { ReplayPreview, Run } from "@/api/types.ts";

const route = (runId: string) => path`/runs/${runId}/replay`;

/** What a replay would run, and what it cannot bring back; nothing is done. */
export function useReplayPlan(runId: string) {
  return useQuery({
    queryKey: ["replay-plan", runId],
    queryFn: ({ signal }) =>
      request<ReplayPreview>(route(runId), { method: "POST", body: { dry_run: true }, signal }),
    staleTime: 0,
    gcTime: 0,
  });
}

export function useReplay(runId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => request<Run>(route(runId), { method: "POST", body: {} }),
    onSettled: () => {
      for (const what of ["runs", "grid"]) queries.invalidateQueries({ queryKey: [what] });
    },
  });
}
