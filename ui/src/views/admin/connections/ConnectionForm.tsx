import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { request } from "@/api/request.ts";
import type { Connection } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import { say } from "@/state/toasts.ts";
import styles from "../Admin.module.css";
import { DagChoice } from "../DagChoice.tsx";
import { wrongName } from "../names.ts";
import { EMPTY, type Form, fieldsOf, formOf, requestOf, wrongExtra, wrongPort } from "./form.ts";
import { KINDS, kindOf } from "./kinds.ts";
import { Password } from "./Password.tsx";

/** Create a connection, or change one. What is secret goes in and never comes out. */
export function ConnectionForm({ stored, close }: { stored?: Connection; close: () => void }) {
  const [form, setForm] = useState<Form>(() => (stored ? formOf(stored) : EMPTY));
  const change = (part: Partial<Form>) => setForm((before) => ({ ...before, ...part }));
  const set = useSet(form, stored !== undefined, close);
  const kind = kindOf(form.type);
  const wrong = {
    id: wrongName(form.id),
    port: wrongPort(form.port),
    extra: wrongExtra(form.extra),
  };
  const nobody = form.dags?.length === 0;
  function submit(event: FormEvent) {
    event.preventDefault();
    if (!wrong.id && !wrong.port && !wrong.extra && !nobody) set.mutate();
  }
  return (
    <Dialog title={stored ? `Edit ${stored.conn_id}` : "New connection"} close={close}>
      <form className={styles.form} onSubmit={submit} autoComplete="off">
        {!stored && (
          <Text label="ID" required wrong={wrong.id} value={form.id} set={(id) => change({ id })}>
            The name by which tasks ask for it, for instance warehouse.
          </Text>
        )}
        <TypeField type={form.type} change={(type) => change({ type })} />
        {fieldsOf(form, stored?.has_password ?? false).map(([name, label]) =>
          name === "password" ? (
            <Password
              key={name}
              label={label}
              stored={stored?.has_password ?? false}
              form={form}
              change={change}
            />
          ) : (
            <Text
              key={name}
              label={label}
              value={form[name]}
              set={(text) => change({ [name]: text })}
              wrong={name === "port" ? wrong.port : null}
            >
              {name === "port" && kind.port && `Usually ${kind.port}.`}
            </Text>
          ),
        )}
        <Field label="Extras" wrong={wrong.extra} note={extrasNote(kind.extras, stored)}>
          {(attributes) => (
            <textarea
              {...attributes}
              spellCheck={false}
              value={form.extra}
              onChange={(event) => change({ extra: event.target.value })}
            />
          )}
        </Field>
        <Text
          label="Description"
          value={form.description}
          set={(description) => change({ description })}
        />
        <DagChoice dags={form.dags} change={(dags) => change({ dags })} />
        <InlineError error={set.error} />
        <div>
          <Button type="submit" look="primary" disabled={set.isPending || nobody}>
            {stored ? "Save" : "Create connection"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function useSet(form: Form, changes: boolean, close: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () =>
      request("put", "/connections/{conn_id}", {
        path: { conn_id: form.id.trim() },
        body: requestOf(form),
      }),
    onSuccess: ({ conn_id }) => {
      say("done", `${changes ? "Changed" : "Created"} the connection ${conn_id}`);
      queries.invalidateQueries({ queryKey: ["connections"] });
      close();
    },
  });
}

function extrasNote(extras: string | undefined, stored?: Connection): string {
  const kept = Object.values(stored?.extra ?? {}).includes("***")
    ? " A value *** stays as it is stored."
    : "";
  return `A JSON object${extras ? `; this type reads ${extras}` : ""}.${kept}`;
}

function TypeField({ type, change }: { type: string; change: (type: string) => void }) {
  const list = useId();
  return (
    <Field label="Type" note={KINDS[type]?.label ?? "A type of your own: lower-case letters."}>
      {(attributes) => (
        <>
          <input
            {...attributes}
            required
            list={list}
            pattern="[a-z][a-z0-9_\-]*"
            title="Lower-case letters, digits and _"
            value={type}
            onChange={(event) => change(event.target.value)}
          />
          <datalist id={list}>
            {Object.entries(KINDS).map(([word, { label }]) => (
              <option key={word} value={word}>
                {label}
              </option>
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

function Text({
  label,
  value,
  set,
  wrong,
  required,
  children,
}: {
  label: string;
  value: string;
  set: (text: string) => void;
  wrong?: string | null;
  required?: boolean;
  children?: string | false | 0 | undefined;
}) {
  return (
    <Field label={label} wrong={wrong ?? null} note={children || null}>
      {(attributes) => (
        <input
          {...attributes}
          required={required}
          autoComplete="off"
          value={value}
          onChange={(event) => set(event.target.value)}
        />
      )}
    </Field>
  );
}
