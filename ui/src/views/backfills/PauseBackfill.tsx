import { useMutation, useQueryClient } from "@tanstack/react-query";
import { request } from "@/api/request.ts";
import type { Backfill } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { useMay } from "@/state/session.ts";
import { say } from "@/state/toasts.ts";

/** Let no more of its runs start, or let them start again. */
export function PauseBackfill({ backfill }: { backfill: Backfill }) {
  const queries = useQueryClient();
  const paused = backfill.paused_at !== null;
  const path = { backfill_id: backfill.backfill_id };
  const change = useMutation({
    mutationFn: () =>
      paused
        ? request("post", "/backfills/{backfill_id}/resume", { path })
        : request("post", "/backfills/{backfill_id}/pause", { path }),
    onSuccess: () => {
      queries.invalidateQueries({ queryKey: ["backfills"] });
      say("done", `${paused ? "Resumed" : "Paused"} the backfill of ${backfill.dag_id}`);
    },
  });
  if (!useMay("run.backfill") || !backfill.counts.queued) return null;
  return (
    <Button small disabled={change.isPending} onClick={() => change.mutate()}>
      {paused ? "Resume" : "Pause"}
    </Button>
  );
}
