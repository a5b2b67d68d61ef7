import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { request } from "@/api/request.ts";
import type { NewOutboundWebhook } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import styles from "../Admin.module.css";
import { TextField } from "../fields.tsx";
import { wrongName } from "../names.ts";

const WHICH = {
  all: { word: "All ends", states: ["success", "failed", "cancelled", "skipped"] },
  bad: { word: "Failed and cancelled runs", states: ["failed", "cancelled"] },
  good: { word: "Successful runs", states: ["success"] },
} as const;

const wordsIn = (text: string) => text.split(/[\s,]+/).filter((word) => word !== "");

/** Create an outbound webhook: where to, and of which runs. */
export function OutboundForm({
  close,
  made,
}: {
  close: () => void;
  made: (hook: NewOutboundWebhook) => void;
}) {
  const [name, setName] = useState("");
  const [url, setUrl] = useState("");
  const [dags, setDags] = useState("");
  const [which, setWhich] = useState<keyof typeof WHICH>("all");
  const [params, setParams] = useState(false);
  const [secret, setSecret] = useState("");
  const queries = useQueryClient();
  const create = useMutation({
    mutationFn: () =>
      request("post", "/outbound-webhooks", {
        body: {
          name: name.trim(),
          url: url.trim(),
          dags: wordsIn(dags).length > 0 ? wordsIn(dags) : ["*"],
          states: [...WHICH[which].states],
          with_params: params,
          secret: secret || null,
        },
      }),
    onSuccess: (hook) => {
      queries.invalidateQueries({ queryKey: ["outbound-webhooks"] });
      close();
      made(hook);
    },
  });
  function submit(event: FormEvent) {
    event.preventDefault();
    if (!wrongName(name)) create.mutate();
  }
  return (
    <Dialog title="New outbound webhook" close={close}>
      <form className={styles.form} onSubmit={submit} autoComplete="off">
        <TextField
          note="For instance the receiver: scheduler."
          required
          value={name}
          change={setName}
        />
        <TextField
          label="URL"
          note="Where requests are sent, for instance https://scheduler.example.com/events."
          required
          value={url}
          change={setUrl}
        />
        <TextField
          label="DAGs"
          note="Ids with commas between them; * stands for any text. Empty: all DAGs."
          value={dags}
          change={setDags}
        />
        <Field label="Of which runs">
          {(attributes) => (
            <select
              {...attributes}
              value={which}
              onChange={(event) => setWhich(event.target.value as typeof which)}
            >
              {Object.entries(WHICH).map(([each, { word }]) => (
                <option key={each} value={each}>
                  {word}
                </option>
              ))}
            </select>
          )}
        </Field>
        <label>
          <input
            type="checkbox"
            checked={params}
            onChange={(event) => setParams(event.target.checked)}
          />{" "}
          Send the parameters of the run, too
        </label>
        <Field
          label="Secret of the receiver"
          note="If it has one already. Empty: one is made, and shown once."
        >
          {(attributes) => (
            <input
              {...attributes}
              type="password"
              autoComplete="off"
              value={secret}
              onChange={(event) => setSecret(event.target.value)}
            />
          )}
        </Field>
        <InlineError error={create.error} />
        <div>
          <Button type="submit" look="primary" disabled={create.isPending}>
            Create outbound webhook
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
