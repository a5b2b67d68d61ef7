import { type FormEvent, useState } from "react";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { useTeam } from "@/state/session.ts";
import styles from "./Admin.module.css";
import { RoleField, TextField } from "./fields.tsx";
import { useAddMember } from "./people.ts";

/** Who has a name and a password already keeps them, and sees this team beside their own. */
export function AddMember({ close }: { close: () => void }) {
  const team = useTeam();
  const [name, setName] = useState("");
  const [role, setRole] = useState<string>("viewer");
  const add = useAddMember(close);
  function submit(event: FormEvent) {
    event.preventDefault();
    add.mutate({ name: name.trim(), role });
  }
  return (
    <Dialog title={`Add to ${team}`} close={close}>
      <form className={styles.form} onSubmit={submit}>
        <TextField
          note="Name of an existing user from any team. For someone new, choose New user."
          required
          value={name}
          change={setName}
        />
        <RoleField value={role} change={setRole} />
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
