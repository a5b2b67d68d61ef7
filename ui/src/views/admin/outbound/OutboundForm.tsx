import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { request } from "@/api/request.ts";
import type { OutboundWebhook } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import { say } from "@/state/toasts.ts";
import styles from "../Admin.module.css";
import { TextField } from "../fields.tsx";
import type { Ways } from "../hooks/HookList.tsx";
import { wrongName } from "../names.ts";

const STATES = ["success", "failed", "cancelled", "skipped"] as const;
const ENDED = "run.ended";
const OVERDUE = "partition.overdue";
const wordsIn = (text: string) => text.split(/[\s,]+/).filter((word) => word !== "");

/** Create an outbound webhook, or change one: where to, and of what. */
export function OutboundForm({ stored, close, made }: Ways & { stored?: OutboundWebhook }) {
  const [name, setName] = useState("");
  const [url, setUrl] = useState(stored?.url ?? "");
  const [dags, setDags] = useState(stored?.dags.join(", ") ?? "");
  const [states, setStates] = useState<ReadonlySet<string>>(statesOf(stored));
  const [overdue, setOverdue] = useState(stored?.events.includes(OVERDUE) ?? false);
  const [params, setParams] = useState(stored?.with_params ?? false);
  const [secret, setSecret] = useState("");
  const save = useSave(stored, close, made);
  function submit(event: FormEvent) {
    event.preventDefault();
    if (!stored && wrongName(name)) return;
    save.mutate({
      name: name.trim(),
      url: url.trim(),
      dags: wordsIn(dags).length > 0 ? wordsIn(dags) : ["*"],
      ...toldOf(states, overdue),
      with_params: params,
      secret,
    });
  }
  return (
    <Dialog title={stored ? `Edit ${stored.name}` : "New outbound webhook"} close={close}>
      <form className={styles.form} onSubmit={submit} autoComplete="off">
        {!stored && (
          <TextField
            note="For instance the receiver: scheduler."
            required
            value={name}
            change={setName}
          />
        )}
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
        <States chosen={states} choose={setStates} />
        <label className={styles.check}>
          <input
            type="checkbox"
            checked={overdue}
            onChange={(event) => setOverdue(event.target.checked)}
          />
          Partitions that are overdue
        </label>
        <label className={styles.check}>
          <input
            type="checkbox"
            checked={params}
            onChange={(event) => setParams(event.target.checked)}
          />
          Send the parameters of the run, too
        </label>
        <SecretField isStored={Boolean(stored)} value={secret} change={setSecret} />
        <InlineError error={save.error} />
        <div>
          <Button
            type="submit"
            look="primary"
            disabled={save.isPending || (states.size === 0 && !overdue)}
          >
            {stored ? "Save outbound webhook" : "Create outbound webhook"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** The states of runs that are told: none, if no end of a run is. */
function statesOf(stored: OutboundWebhook | undefined): ReadonlySet<string> {
  if (!stored) return new Set(STATES);
  return new Set(stored.events.includes(ENDED) ? stored.states : []);
}

function toldOf(states: ReadonlySet<string>, overdue: boolean): Pick<Wish, "states" | "events"> {
  const ends = STATES.filter((state) => states.has(state));
  return {
    events: [...(ends.length > 0 ? [ENDED] : []), ...(overdue ? [OVERDUE] : [])],
    states: ends.length > 0 ? ends : [...STATES],
  };
}

/** In which states runs end that are told. */
function States({
  chosen,
  choose,
}: {
  chosen: ReadonlySet<string>;
  choose: (states: ReadonlySet<string>) => void;
}) {
  function toggle(state: string) {
    const next = new Set(chosen);
    if (!next.delete(state)) next.add(state);
    choose(next);
  }
  return (
    <fieldset className={styles.states}>
      <legend>Runs that end as</legend>
      {STATES.map((state) => (
        <label key={state} className={styles.check}>
          <input type="checkbox" checked={chosen.has(state)} onChange={() => toggle(state)} />
          {state}
        </label>
      ))}
    </fieldset>
  );
}

function SecretField({
  isStored,
  value,
  change,
}: {
  isStored: boolean;
  value: string;
  change: (secret: string) => void;
}) {
  return (
    <Field
      label="Secret of the receiver"
      note={
        isStored
          ? "Leave empty to keep the present one."
          : "If it has one already. Empty: one is made, and shown once."
      }
    >
      {(attributes) => (
        <input
          {...attributes}
          type="password"
          autoComplete="off"
          value={value}
          onChange={(event) => change(event.target.value)}
        />
      )}
    </Field>
  );
}

interface Wish {
  name: string;
  url: string;
  dags: string[];
  states: string[];
  events: string[];
  with_params: boolean;
  secret: string;
}

function useSave(stored: OutboundWebhook | undefined, close: () => void, made: Ways["made"]) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async ({ name, secret, ...wish }: Wish) => {
      if (!stored)
        return request("post", "/outbound-webhooks", {
          body: { ...wish, name, secret: secret || null },
        });
      await request("patch", "/outbound-webhooks/{name}", {
        path: { name: stored.name },
        body: { ...wish, ...(secret && { secret }) },
      });
      return null;
    },
    onSuccess: (created) => {
      queries.invalidateQueries({ queryKey: ["outbound-webhooks"] });
      close();
      if (created) made(created);
      else say("done", `Changed the outbound webhook ${stored?.name}`);
    },
  });
}
