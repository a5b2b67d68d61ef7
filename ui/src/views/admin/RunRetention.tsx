import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { runRetention } from "@/api/queries.ts";
import { request } from "@/api/request.ts";
import type { RunRetention as Found } from "@/api/types.ts";
import { number } from "@/lib/count.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { ErrorState, InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { useMay } from "@/state/session.ts";
import { say } from "@/state/toasts.ts";
import styles from "./Admin.module.css";
import { runDaysOf, toBeRemoved, wrongRunDays } from "./retention.ts";

/** For how long the team keeps its runs. */
export function RunRetention() {
  const found = useQuery(runRetention());
  const mayChange = useMay("team.write");
  if (found.isPending) return <SkeletonRows count={2} />;
  if (!found.data) {
    return <ErrorState error={found.error} what="Run retention" retry={() => found.refetch()} />;
  }
  const { effective_days, days } = found.data;
  return (
    <section className={styles.logs} aria-label="Runs">
      <p>
        After a run ends, it is kept for <strong>{number(effective_days)} days</strong> with its
        history, results and logs.
      </p>
      {mayChange && <Change key={days ?? "default"} found={found.data} />}
    </section>
  );
}

function Change({ found }: { found: Found }) {
  const [days, setDays] = useState(String(found.days ?? ""));
  const [preview, setPreview] = useState<Found | null>(null);
  const queries = useQueryClient();
  const send = (dry_run: boolean) =>
    request("put", "/run-retention", { body: { days: runDaysOf(days) ?? null, dry_run } });
  const set = useMutation({
    mutationFn: () => send(false),
    onSuccess: (after) => {
      setPreview(null);
      queries.setQueryData(runRetention().queryKey, after);
      queries.invalidateQueries({ queryKey: ["log-retention"] });
      say("done", `Runs are kept for ${number(after.effective_days)} days`);
    },
  });
  const look = useMutation({
    mutationFn: () => send(true),
    onSuccess: (would) => (would.removes > 0 ? setPreview(would) : set.mutate()),
  });
  const wrong = wrongRunDays(days);
  function submit(event: FormEvent) {
    event.preventDefault();
    if (!wrong) look.mutate();
  }
  return (
    <form className={styles.form} onSubmit={submit}>
      <Field
        label="Keep runs for (days)"
        wrong={wrong}
        note={`Leave empty for the default: ${number(found.default_days)} days. Older runs are deleted permanently within minutes.`}
      >
        {(attributes) => (
          <input
            {...attributes}
            inputMode="numeric"
            value={days}
            onChange={(event) => setDays(event.target.value)}
          />
        )}
      </Field>
      <InlineError error={look.error ?? set.error} />
      <div>
        <Button type="submit" look="primary" disabled={look.isPending || set.isPending}>
          Save run retention
        </Button>
      </div>
      {preview && (
        <Dialog
          title={`Keep runs for ${number(preview.effective_days)} days?`}
          close={() => setPreview(null)}
          foot={
            <>
              <Button onClick={() => setPreview(null)}>Cancel</Button>
              <Button look="danger" disabled={set.isPending} onClick={() => set.mutate()}>
                Delete older runs
              </Button>
            </>
          }
        >
          <p>{toBeRemoved(preview.removes, preview.effective_days)}</p>
          <p>Their history, results and logs are deleted too. You cannot undo this.</p>
          <InlineError error={set.error} />
        </Dialog>
      )}
    </form>
  );
}
