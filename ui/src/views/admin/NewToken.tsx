import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { request } from "@/api/request.ts";
import type { NewToken as Made } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import styles from "./Admin.module.css";
import { RoleField, TextField } from "./fields.tsx";

const LIVES = [7, 30, 90, 365];

export function NewToken({ close, made }: { close: () => void; made: (token: Made) => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState("viewer");
  const [dags, setDags] = useState("");
  const [days, setDays] = useState(90);
  const queries = useQueryClient();
  const make = useMutation({
    mutationFn: () => {
      const named = dags.split(/[\s,]+/).filter(Boolean);
      const dag_ids = named.length > 0 ? named : null;
      return request("post", "/tokens", { body: { name, role, dag_ids, expires_in_days: days } });
    },
    onSuccess: (token) => {
      queries.invalidateQueries({ queryKey: ["tokens"] });
      made(token);
    },
  });
  function submit(event: FormEvent) {
    event.preventDefault();
    make.mutate();
  }
  return (
    <Dialog title="New token" close={close}>
      <form className={styles.form} onSubmit={submit}>
        <TextField
          note="What will use the token, for example ci or nightly-report."
          required
          value={name}
          change={setName}
        />
        <RoleField note="Choose the lowest role that is enough." value={role} change={setRole} />
        <TextField
          label="Only for DAGs"
          note="Names of DAGs, separated by commas. Empty: all DAGs."
          value={dags}
          change={setDags}
        />
        <Field label="Expires after">
          {(attributes) => (
            <select
              {...attributes}
              value={days}
              onChange={(event) => setDays(Number(event.target.value))}
            >
              {LIVES.map((each) => (
                <option key={each} value={each}>
                  {each} days
                </option>
              ))}
            </select>
          )}
        </Field>
        <InlineError error={make.error} />
        <div>
          <Button type="submit" look="primary" disabled={make.isPending}>
            Create token
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
