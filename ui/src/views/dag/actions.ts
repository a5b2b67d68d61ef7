import { useMutation, useQueryClient } from "@tanstack/react-query";
import { request } from "@/api/request.ts";
import { messageOf } from "@/parts/ErrorState.tsx";
import { say, sayUndoable } from "@/state/toasts.ts";

/** Pause or resume a DAG; the lists follow. */
export function usePause(dagId: string) {
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: (pause: boolean) =>
      request("post", pause ? "/dags/{dag_id}/pause" : "/dags/{dag_id}/resume", {
        path: { dag_id: dagId },
      }),
    onSuccess: (detail, pause) => {
      queries.setQueryData(["dag", dagId], detail);
      queries.invalidateQueries({ queryKey: ["dags"] });
      queries.invalidateQueries({ queryKey: ["overview"] });
      const led = pause ? `Paused ${dagId}: no scheduled runs will start` : `Resumed ${dagId}`;
      sayUndoable(led, () => change.mutate(!pause));
    },
    onError: (error) => say("failed", messageOf(error)),
  });
  return change;
}
