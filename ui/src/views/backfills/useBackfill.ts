import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { request } from "@/api/request.ts";
import { counted } from "@/lib/count.ts";
import { say } from "@/state/toasts.ts";
import { startedOf } from "./planned.ts";

export interface Asked {
  dag: string;
  /** Days, as a date field holds them. */
  from: string;
  to: string;
  at_once: string;
  /** Of the dates that have a run. */
  again: "missing" | "failed" | "all";
  newest_first: boolean;
}

/** `plan` says which runs there would be; `make` makes them, once, however often it is sent. */
export function useBackfill(done: () => void) {
  const queries = useQueryClient();
  const key = useRef(crypto.randomUUID());
  const send = (asked: Asked, dryRun: boolean) =>
    request("post", "/dags/{dag_id}/backfills", {
      path: { dag_id: asked.dag },
      body: bodyOf(asked, dryRun),
      idempotencyKey: dryRun ? undefined : key.current,
    });
  const plan = useMutation({ mutationFn: (asked: Asked) => send(asked, true) });
  const make = useMutation({
    mutationFn: (asked: Asked) => send(asked, false),
    onSuccess: (answer, asked) => {
      queries.invalidateQueries({ queryKey: ["backfills"] });
      queries.invalidateQueries({ queryKey: ["runs"] });
      say("done", `Queued ${counted(startedOf(answer), "run")} of ${asked.dag}`);
      done();
    },
  });
  return { plan, make };
}

/** Days as they are: the server knows the DAG's time zone, and includes both. */
export function bodyOf(asked: Asked, dryRun: boolean) {
  return {
    from: asked.from,
    to: asked.to,
    max_active_runs: asked.at_once ? Number(asked.at_once) : null,
    again: asked.again,
    newest_first: asked.newest_first,
    dry_run: dryRun,
  };
}
