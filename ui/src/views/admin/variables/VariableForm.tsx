import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { request } from "@/api/request.ts";
import type { Variable, VariableRequest } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import { say } from "@/state/toasts.ts";
import styles from "../Admin.module.css";
import { DagChoice } from "../DagChoice.tsx";
import { wrongName } from "../names.ts";

const HOW = { key: "Decide by the key", yes: "Secret", no: "Not secret" } as const;
type How = keyof typeof HOW;

/** Create a variable, or change one. A secret value goes in and never comes out. */
export function VariableForm({ stored, close }: { stored?: Variable; close: () => void }) {
  const [key, setKey] = useState(stored?.key ?? "");
  const [value, setValue] = useState(stored?.value ?? "");
  const [how, setHow] = useState<How>(stored ? (stored.is_secret ? "yes" : "no") : "key");
  const [description, setDescription] = useState(stored?.description ?? "");
  const [dags, setDags] = useState(stored?.dags ?? null);
  const keeps = stored?.is_secret === true && value === "" && how === "yes";
  const set = useSet(stored !== undefined, close);
  const nobody = dags?.length === 0;
  function submit(event: FormEvent) {
    event.preventDefault();
    const body = { description, dags, is_secret: how === "key" ? null : how === "yes" };
    if (!nobody && !wrongName(key))
      set.mutate({ key: key.trim(), body: keeps ? body : { ...body, value } });
  }
  return (
    <Dialog title={stored ? `Edit ${stored.key}` : "New variable"} close={close}>
      <form className={styles.form} onSubmit={submit} autoComplete="off">
        {!stored && (
          <Field
            label="Key"
            wrong={wrongName(key)}
            note="The name by which tasks ask for it, for instance bucket."
          >
            {(attributes) => (
              <input
                {...attributes}
                required
                autoComplete="off"
                value={key}
                onChange={(event) => setKey(event.target.value)}
              />
            )}
          </Field>
        )}
        <Field
          label="Value"
          note={stored?.is_secret ? "Leave empty to keep the stored value." : null}
        >
          {(attributes) => (
            <textarea
              {...attributes}
              spellCheck={false}
              value={value}
              onChange={(event) => setValue(event.target.value)}
            />
          )}
        </Field>
        <Field
          label="Shown or secret"
          note="The key decides by words such as password, token or secret. A secret is encrypted, never shown, and masked in logs."
        >
          {(attributes) => (
            <select
              {...attributes}
              value={how}
              onChange={(event) => setHow(event.target.value as How)}
            >
              {Object.entries(HOW).map(([word, label]) => (
                <option key={word} value={word}>
                  {label}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Description">
          {(attributes) => (
            <input
              {...attributes}
              value={description}
              onChange={(event) => setDescription(event.target.value)}
            />
          )}
        </Field>
        <DagChoice dags={dags} change={setDags} />
        <InlineError error={set.error} />
        <div>
          <Button type="submit" look="primary" disabled={set.isPending || nobody}>
            {stored ? "Save" : "Create variable"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function useSet(changes: boolean, close: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ key, body }: { key: string; body: VariableRequest }) =>
      request("put", "/variables/{key}", { path: { key }, body }),
    onSuccess: ({ key }) => {
      say("done", `${changes ? "Changed" : "Created"} the variable ${key}`);
      queries.invalidateQueries({ queryKey: ["variables"] });
      close();
    },
  });
}
