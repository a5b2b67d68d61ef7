import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { request } from "@/api/request.ts";
import type { NewWebhook } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import styles from "../Admin.module.css";
import { TextField } from "../fields.tsx";
import { wrongName } from "../names.ts";
import { fieldsIn } from "./fields.ts";

const KINDS = {
  asset: { word: "An event of an asset", target: "Asset", fields: "Extra" },
  dag: { word: "A run of a DAG", target: "DAG", fields: "Parameters" },
} as const;

/** Create a webhook: where its deliveries go, and which values of their bodies they bring. */
export function WebhookForm({
  close,
  made,
}: {
  close: () => void;
  made: (hook: NewWebhook) => void;
}) {
  const [name, setName] = useState("");
  const [kind, setKind] = useState<keyof typeof KINDS>("asset");
  const [target, setTarget] = useState("");
  const [lines, setLines] = useState("");
  const [key, setKey] = useState("");
  const [partition, setPartition] = useState("");
  const queries = useQueryClient();
  const fields = fieldsIn(lines);
  const create = useMutation({
    mutationFn: () =>
      request("post", "/webhooks", {
        body: {
          name: name.trim(),
          ...(kind === "asset" ? { asset: target.trim() } : { dag_id: target.trim() }),
          fields: fields ?? {},
          key_path: key.trim() || null,
          partition_path: (kind === "asset" && partition.trim()) || null,
        },
      }),
    onSuccess: (hook) => {
      queries.invalidateQueries({ queryKey: ["webhooks"] });
      close();
      made(hook);
    },
  });
  function submit(event: FormEvent) {
    event.preventDefault();
    if (fields && !wrongName(name)) create.mutate();
  }
  return (
    <Dialog title="New webhook" close={close}>
      <form className={styles.form} onSubmit={submit} autoComplete="off">
        <TextField
          note="For instance the sender: erp, github."
          required
          value={name}
          change={setName}
        />
        <Field label="Each delivery makes">
          {(attributes) => (
            <select
              {...attributes}
              value={kind}
              onChange={(event) => setKind(event.target.value as typeof kind)}
            >
              {Object.entries(KINDS).map(([each, { word }]) => (
                <option key={each} value={each}>
                  {word}
                </option>
              ))}
            </select>
          )}
        </Field>
        <TextField label={KINDS[kind].target} required value={target} change={setTarget} />
        <Field
          label={`${KINDS[kind].fields} from the body`}
          note="A line for each value: name=path. A path is like order.items.0.id; a dot is the whole body."
          wrong={fields ? null : "Write each line as name=path, for instance rows=data.rows."}
        >
          {(attributes) => (
            <textarea
              {...attributes}
              spellCheck={false}
              value={lines}
              onChange={(event) => setLines(event.target.value)}
            />
          )}
        </Field>
        <TextField
          label="Path of the idempotency key"
          note="Deliveries with the same key make one thing. Empty: the id that the sender gives the delivery."
          value={key}
          change={setKey}
        />
        {kind === "asset" && (
          <TextField label="Path of the partition" value={partition} change={setPartition} />
        )}
        <InlineError error={create.error} />
        <div>
          <Button type="submit" look="primary" disabled={create.isPending || !fields}>
            Create webhook
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
