import { type FormEvent, useState } from "react";
import type { Role } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import { useTeam } from "@/state/session.ts";
import styles from "./Admin.module.css";
import { ROLES, useAddMember } from "./people.ts";

/** Who has a name and a password already keeps them, and sees this team beside their own. */
export function AddMember({ close }: { close: () => void }) {
  const team = useTeam();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const add = useAddMember(close);
  function submit(event: FormEvent) {
    event.preventDefault();
    add.mutate({ name: name.trim(), role });
  }
  return (
    <Dialog title={`Add to ${team}`} close={close}>
      <form className={styles.form} onSubmit={submit}>
        <Field
          label="Name"
          note="Name of an existing user from any team. For someone new, choose New user."
        >
          {(attributes) => (
            <input
              {...attributes}
              required
              autoComplete="off"
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label="Role">
          {(attributes) => (
            <select
              {...attributes}
              value={role}
              onChange={(event) => setRole(event.target.value as Role)}
            >
              {ROLES.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          )}
        </Field>
        <InlineError error={add.error} />
        <div>
          <Button type="submit" look="primary" disabled={add.isPending}>
            Add member
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
