import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { request } from "@/api/request.ts";
import type { NewToken as Made, Role } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import { may, useSession } from "@/state/session.ts";
import styles from "./Admin.module.css";
import { ROLES } from "./people.ts";

const LIVES = [7, 30, 90, 365];

export function NewToken({ close, made }: { close: () => void; made: (token: Made) => void }) {
  const { role: mine } = useSession();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [days, setDays] = useState(90);
  const queries = useQueryClient();
  const make = useMutation({
    mutationFn: () => request("post", "/tokens", { body: { name, role, expires_in_days: days } }),
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
        <Field label="Name" note="What will use the token, for example ci or nightly-report.">
          {(attributes) => (
            <input
              {...attributes}
              required
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label="Role" note="Choose the lowest role that is enough.">
          {(attributes) => (
            <select
              {...attributes}
              value={role}
              onChange={(event) => setRole(event.target.value as Role)}
            >
              {ROLES.filter((each) => may(mine, each)).map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          )}
        </Field>
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
