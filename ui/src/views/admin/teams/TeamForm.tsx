import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { request } from "@/api/request.ts";
import type { NewTeam, Team } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import { say } from "@/state/toasts.ts";
import styles from "../Admin.module.css";
import { type Form, formOf, settingsOf, wrongSlots, wrongWeight } from "./settings.ts";

/** Create a team with all that it needs, or change what it may use. */
export function TeamForm({
  stored,
  close,
  made,
}: {
  stored?: Team;
  close: () => void;
  made?: (team: NewTeam) => void;
}) {
  const [form, setForm] = useState<Form>(() => formOf(stored));
  const change = (part: Partial<Form>) => setForm((before) => ({ ...before, ...part }));
  const save = useSave(form, stored, (team) => ("created" in team && made ? made(team) : close()));
  const wrong = { slots: wrongSlots(form.slots), weight: wrongWeight(form.weight) };
  function submit(event: FormEvent) {
    event.preventDefault();
    if (!wrong.slots && !wrong.weight) save.mutate();
  }
  const text =
    (name: keyof Form, required = false) =>
    (attributes: object) => (
      <input
        {...attributes}
        required={required}
        autoComplete="off"
        value={form[name]}
        onChange={(event) => change({ [name]: event.target.value })}
      />
    );
  return (
    <Dialog title={stored ? `Edit ${stored.name}` : "New team"} close={close}>
      <form className={styles.form} onSubmit={submit}>
        {!stored && (
          <Field label="Name" note="Lower-case letters and digits, with - between them.">
            {text("name", true)}
          </Field>
        )}
        <Field label="Title" note="A longer name for people, if you want one.">
          {text("title")}
        </Field>
        <Field
          label="Slots"
          wrong={wrong.slots}
          note="Slots that the team gets whenever it needs them. Leave empty for none of its own."
        >
          {text("slots")}
        </Field>
        <Field
          label="Weight"
          wrong={wrong.weight}
          note="How much of the idle slots the team gets: weight 2 gets twice as many as weight 1."
        >
          {text("weight")}
        </Field>
        <InlineError error={save.error} />
        <div>
          <Button type="submit" look="primary" disabled={save.isPending}>
            {stored ? "Save" : "Create team"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function useSave(form: Form, stored: Team | undefined, done: (team: Team | NewTeam) => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (): Promise<Team | NewTeam> =>
      stored
        ? request("patch", "/teams/{name}", { path: { name: stored.name }, body: settingsOf(form) })
        : request("post", "/teams", { body: { name: form.name.trim(), ...settingsOf(form) } }),
    onSuccess: (team) => {
      if ("created" in team && !team.created) say("done", `Team ${team.name} existed already`);
      if (!("created" in team)) say("done", `Changed the team ${team.name}`);
      for (const queryKey of [["teams"], ["slots"]]) queries.invalidateQueries({ queryKey });
      done(team);
    },
  });
}
