import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { made, preview } from "@/api/preview.ts";
import { request } from "@/api/request.ts";

/** What a replay would run, and what it cannot bring back; nothing is done. */
export function useReplayPlan(runId: string) {
  return useQuery({
    queryKey: ["replay-plan", runId],
    queryFn: async ({ signal }) => {
      const wanted = { path: { run_id: runId }, body: { dry_run: true }, signal };
      return preview(await request("post", "/runs/{run_id}/replay", wanted));
    },
    staleTime: 0,
    gcTime: 0,
  });
}

export function useReplay(runId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async () =>
      made(await request("post", "/runs/{run_id}/replay", { path: { run_id: runId }, body: {} })),
    onSettled: () => {
      for (const what of ["runs", "grid"]) queries.invalidateQueries({ queryKey: [what] });
    },
  });
}
