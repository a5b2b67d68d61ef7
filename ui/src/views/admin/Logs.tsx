import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { logRetention } from "@/api/queries.ts";
import { request } from "@/api/request.ts";
import type { LogRetention, LogRetentionRequest } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { ErrorState, InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { useMay } from "@/state/session.ts";
import { sayUndoable } from "@/state/toasts.ts";
import styles from "./Admin.module.css";
import { RunRetention } from "./RunRetention.tsx";
import { daysOf, keptAnywhere, keptHere, ownOf, wrongDays, wrongTogether } from "./retention.ts";

/** For how long the team keeps runs and logs. */
export function Logs() {
  const found = useQuery(logRetention());
  const mayChange = useMay("team.write");
  if (found.isPending) return <SkeletonRows count={3} />;
  if (!found.data) {
    return <ErrorState error={found.error} what="Log retention" retry={() => found.refetch()} />;
  }
  const { effective_days, effective_local_days } = found.data;
  return (
    <>
      <RunRetention />
      <section className={styles.logs} aria-label="Logs">
        <p>
          After a run ends, its logs are kept <strong>{keptAnywhere(effective_days)}</strong>, and
          never longer than the run. If you use a log store, logs also stay on this machine{" "}
          {keptHere(effective_local_days ?? null)}.
        </p>
        {mayChange && <Change key={JSON.stringify(ownOf(found.data))} found={found.data} />}
      </section>
    </>
  );
}

interface Change {
  wanted: LogRetentionRequest;
  before: LogRetentionRequest;
}

function Change({ found }: { found: LogRetention }) {
  const before = ownOf(found);
  const [days, setDays] = useState(String(before.days ?? ""));
  const [local, setLocal] = useState(String(before.local_days ?? ""));
  const queries = useQueryClient();
  const set = useMutation({
    mutationFn: ({ wanted }: Change) => request("put", "/log-retention", { body: wanted }),
    onSuccess: (after, change) => {
      queries.setQueryData(logRetention().queryKey, after);
      const led = `Logs are kept ${keptAnywhere(after.effective_days)}`;
      sayUndoable(led, () => set.mutate({ wanted: change.before, before: change.wanted }));
    },
  });
  const wrongs = [wrongDays(days), wrongDays(local) ?? wrongTogether(days, local)] as const;
  function submit(event: FormEvent) {
    event.preventDefault();
    const wanted = { days: daysOf(days) ?? null, local_days: daysOf(local) ?? null };
    if (!wrongs[0] && !wrongs[1]) set.mutate({ wanted, before });
  }
  return (
    <form className={styles.form} onSubmit={submit}>
      <Field
        label="Keep logs for (days)"
        wrong={wrongs[0]}
        note={`Leave empty for the default: ${keptAnywhere(found.default_days)}. Older logs are deleted permanently within minutes.`}
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
      <Field
        label="Keep on this machine for (days)"
        wrong={wrongs[1]}
        note={`Leave empty for the default: ${keptHere(found.default_local_days ?? null)}. A log is deleted here only once the log store has all of it, and is then read from there.`}
      >
        {(attributes) => (
          <input
            {...attributes}
            inputMode="numeric"
            value={local}
            onChange={(event) => setLocal(event.target.value)}
          />
        )}
      </Field>
      <InlineError error={set.error} />
      <div>
        <Button type="submit" look="primary" disabled={set.isPending}>
          Save log retention
        </Button>
      </div>
    </form>
  );
}
