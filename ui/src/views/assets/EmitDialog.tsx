import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";
import { request } from "@/api/request.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import { say } from "@/state/toasts.ts";
import styles from "../admin/Admin.module.css";
import { extraIn } from "./extra.ts";

/** Report an event of an asset that happened outside of Headway. Sent again, it is the same event. */
export function EmitDialog({ name, close }: { name: string; close: () => void }) {
  const [extra, setExtra] = useState("");
  const [partition, setPartition] = useState("");
  const key = useRef(crypto.randomUUID());
  const queries = useQueryClient();
  const given = extraIn(extra);
  const emit = useMutation({
    mutationFn: () =>
      request("post", "/assets/events", {
        body: { asset: name, extra: given ?? {}, partition: partition.trim() || null },
        idempotencyKey: key.current,
      }),
    onSuccess: () => {
      queries.invalidateQueries({ queryKey: ["assets"] });
      say("done", `Reported an event of ${name}`);
      close();
    },
  });
  function submit(event: FormEvent) {
    event.preventDefault();
    if (given) emit.mutate();
  }
  return (
    <Dialog title={`Report an event of ${name}`} close={close}>
      <form className={styles.form} onSubmit={submit} autoComplete="off">
        <p>DAGs that wait for this asset run as if a task had updated it.</p>
        <Field label="Partition" note="The part of the data that it is about, for instance a day.">
          {(attributes) => (
            <input
              {...attributes}
              maxLength={250}
              value={partition}
              onChange={(event) => setPartition(event.target.value)}
            />
          )}
        </Field>
        <Field
          label="Extra"
          note="Tasks of the runs that it brings can read it."
          wrong={given ? null : 'Enter a JSON object, for instance {"rows": 7}, or leave empty.'}
        >
          {(attributes) => (
            <textarea
              {...attributes}
              spellCheck={false}
              value={extra}
              onChange={(event) => setExtra(event.target.value)}
            />
          )}
        </Field>
        <InlineError error={emit.error} />
        <div>
          <Button type="submit" look="primary" disabled={emit.isPending || !given}>
            Report event
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
