import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef } from "react";
import { made, preview } from "@/api/preview.ts";
import { request } from "@/api/request.ts";
import { useTeam } from "@/state/session.ts";

export interface Asked {
  params: Record<string, unknown>;
  logical_date: string | null;
  partition: string | null;
}

/** Ask for the run, and go to it. Pressed twice, or sent again, it is still one run. */
export function useTrigger(dagId: string) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const team = useTeam();
  const key = useRef({ text: "", key: "" });
  return useMutation({
    mutationFn: async (asked: Asked) => {
      const text = JSON.stringify(asked);
      if (key.current.text !== text) key.current = { text, key: crypto.randomUUID() };
      const body = { ...asked, idempotency_key: key.current.key };
      return made(await request("post", "/dags/{dag_id}/runs", { path: { dag_id: dagId }, body }));
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
    mutationFn: async (asked: Asked) => {
      const wanted = { path: { dag_id: dagId }, body: { ...asked, dry_run: true } };
      return preview(await request("post", "/dags/{dag_id}/runs", wanted));
    },
  });
}
