import { type FormEvent, useState } from "react";
import type { LoginLink } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import styles from "./Admin.module.css";
import { RoleField, TextField } from "./fields.tsx";
import { type NewPerson, useInvite } from "./people.ts";

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
        <TextField
          note="The name they sign in with."
          required
          value={person.name}
          change={(name) => change({ name })}
        />
        <TextField
          label="Display name"
          value={person.display_name}
          change={(display_name) => change({ display_name })}
        />
        <RoleField value={person.role} change={(role) => change({ role })} />
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
