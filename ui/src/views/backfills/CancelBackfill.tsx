import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { request } from "@/api/request.ts";
import type { Backfill } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { useMay } from "@/state/session.ts";
import { say } from "@/state/toasts.ts";

/** End what of it has not ended, after saying what that is. */
export function CancelBackfill({ backfill }: { backfill: Backfill }) {
  const [asking, setAsking] = useState(false);
  const queries = useQueryClient();
  const cancel = useMutation({
    mutationFn: () =>
      request("post", "/backfills/{backfill_id}/cancel", {
        path: { backfill_id: backfill.backfill_id },
      }),
    onSuccess: () => {
      queries.invalidateQueries({ queryKey: ["backfills"] });
      queries.invalidateQueries({ queryKey: ["runs"] });
      say("done", `Cancelled the backfill of ${backfill.dag_id}`);
      setAsking(false);
    },
  });
  const { running = 0, queued = 0 } = backfill.counts;
  if (!useMay("run.cancel") || running + queued === 0) return null;
  return (
    <>
      <Button small onClick={() => setAsking(true)}>
        Cancel
      </Button>
      {asking && (
        <Dialog
          title={`Cancel the backfill of ${backfill.dag_id}?`}
          close={() => setAsking(false)}
          foot={
            <>
              <Button onClick={() => setAsking(false)}>Keep running</Button>
              <Button look="danger" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
                Cancel {counted(running + queued, "run")}
              </Button>
            </>
          }
        >
          <p>
            {counted(running, "running run")} and {counted(queued, "queued run")} will be cancelled,
            and their running tasks stopped. {counted(backfill.done, "finished run")} will not
            change.
          </p>
          <InlineError error={cancel.error} />
        </Dialog>
      )}
    </>
  );
}
