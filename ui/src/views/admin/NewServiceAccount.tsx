import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { request } from "@/api/request.ts";
import type { NewToken as Made } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import styles from "./Admin.module.css";
import { RoleField, TextField } from "./fields.tsx";

/** A program of the team, with its first token. */
export function NewServiceAccount({
  close,
  made,
}: {
  close: () => void;
  made: (token: Made) => void;
}) {
  const [name, setName] = useState("");
  const [role, setRole] = useState("viewer");
  const queries = useQueryClient();
  const make = useMutation({
    mutationFn: async () => {
      const account = await request("post", "/service-accounts", { body: { name, role } });
      return request("post", "/tokens", { body: { name, role, user: account.name } });
    },
    onSuccess: made,
    onSettled: () => {
      for (const queryKey of [["tokens"], ["users"]]) queries.invalidateQueries({ queryKey });
    },
  });
  function submit(event: FormEvent) {
    event.preventDefault();
    make.mutate();
  }
  return (
    <Dialog title="New service account" close={close}>
      <form className={styles.form} onSubmit={submit}>
        <TextField
          note="A program that belongs to the team, for example ci."
          required
          value={name}
          change={setName}
        />
        <RoleField note="Choose the lowest role that is enough." value={role} change={setRole} />
        <InlineError error={make.error} />
        <div>
          <Button type="submit" look="primary" disabled={make.isPending}>
            Create service account
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
