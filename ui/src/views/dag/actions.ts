import { useMutation, useQueryClient } from "@tanstack/react-query";
import { path, request } from "@/api/request.ts";
import type { DagDetail } from "@/api/types.ts";
import { messageOf } from "@/parts/ErrorState.tsx";
import { say, sayUndoable } from "@/state/toasts.ts";

/** Pause or resume a DAG; the lists follow. */
export function usePause(dagId: string) {
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: (pause: boolean) =>
      request<DagDetail>(pause ? path`/dags/${dagId}/pause` : path`/dags/${dagId}/resume`, {
        method: "POST",
        body: {},
      }),
    onSuccess: (detail, pause) => {
      queries.setQueryData(["dag", dagId], detail);
      queries.invalidateQueries({ queryKey: ["dags"] });
      queries.invalidateQueries({ queryKey: ["overview"] });
      const led = pause ? `${dagId} is paused: its schedule starts nothing` : `${dagId} goes on`;
      sayUndoable(led, () => change.mutate(!pause));
    },
    onError: (error) => say("failed", messageOf(error)),
  });
  return change;
}
