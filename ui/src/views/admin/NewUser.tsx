import { type FormEvent, useState } from "react";
import type { LoginLink, Role } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import styles from "./Admin.module.css";
import { type NewPerson, ROLES, useInvite } from "./people.ts";

export function NewUser({
  close,
  invited,
}: {
  close: () => void;
  invited: (link: LoginLink) => void;
}) {
  const [person, setPerson] = useState<NewPerson>({ name: "", display_name: "", role: "viewer" });
  const invite = useInvite(invited);
  const change = (part: Partial<NewPerson>) => setPerson((before) => ({ ...before, ...part }));
  function submit(event: FormEvent) {
    event.preventDefault();
    invite.mutate(person);
  }
  return (
    <Dialog title="New user" close={close}>
      <form className={styles.form} onSubmit={submit}>
        <Field label="Name" note="The name they sign in with.">
          {(attributes) => (
            <input
              {...attributes}
              required
              autoComplete="off"
              value={person.name}
              onChange={(event) => change({ name: event.target.value })}
            />
          )}
        </Field>
        <Field label="Display name">
          {(attributes) => (
            <input
              {...attributes}
              autoComplete="off"
              value={person.display_name}
              onChange={(event) => change({ display_name: event.target.value })}
            />
          )}
        </Field>
        <Field label="Role">
          {(attributes) => (
            <select
              {...attributes}
              value={person.role}
              onChange={(event) => change({ role: event.target.value as Role })}
            >
              {ROLES.map((role) => (
                <option key={role}>{role}</option>
              ))}
            </select>
          )}
        </Field>
        <InlineError error={invite.error} />
        <div>
          <Button type="submit" look="primary" disabled={invite.isPending}>
            Create user and sign-in link
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
