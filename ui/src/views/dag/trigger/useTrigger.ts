import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef } from "react";
import { path, request } from "@/api/request.ts";
import type { Run, TriggerPreview } from "@/api/types.ts";
import { useTeam } from "@/state/session.ts";

export interface Asked {
  params: Record<string, unknown>;
  logical_date: string | null;
}

/** Ask for the run, and go to it. Pressed twice, or sent again, it is still one run. */
export function useTrigger(dagId: string) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const team = useTeam();
  const key = useRef({ text: "", key: "" });
  return useMutation({
    mutationFn: (asked: Asked) => {
      const text = JSON.stringify(asked);
      if (key.current.text !== text) key.current = { text, key: crypto.randomUUID() };
      return request<Run>(path`/dags/${dagId}/runs`, {
        method: "POST",
        body: { ...asked, idempotency_key: key.current.key },
      });
    },
    onSuccess: (run) => {
      queries.setQueryData(["run", run.run_id], run);
      queries.invalidateQueries({ queryKey: ["runs"] });
      return navigate({ to: "/t/$team/runs/$run", params: { team, run: run.run_id } });
    },
  });
}

/** What would happen, and nothing happens. */
export function useWouldTrigger(dagId: string) {
  return useMutation({
    mutationFn: (asked: Asked) =>
      request<TriggerPreview>(path`/dags/${dagId}/runs`, {
        method: "POST",
        body: { ...asked, dry_run: true },
      }),
  });
}
