import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { request } from "@/api/request.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import { say } from "@/state/toasts.ts";
import styles from "./OwnPassword.module.css";

const EMPTY = { current: "", password: "", again: "" };

/** One's own password: the first, or another one. */
export function OwnPassword({ name, close }: { name: string; close: () => void }) {
  const [typed, setTyped] = useState(EMPTY);
  const differs = typed.again !== "" && typed.again !== typed.password;
  const change = useMutation({
    mutationFn: () =>
      request("put", "/users/{name}/password", {
        path: { name },
        body: { current: typed.current || null, password: typed.password },
      }),
    onSuccess: () => {
      say("done", "Password changed. Your other sessions were signed out.");
      close();
    },
  });
  function submit(event: FormEvent) {
    event.preventDefault();
    if (typed.again === typed.password) change.mutate();
  }
  const secret = (key: keyof typeof EMPTY, autoComplete: string, required: boolean) => ({
    type: "password",
    autoComplete,
    required,
    value: typed[key],
    onChange: (event: { target: HTMLInputElement }) =>
      setTyped((before) => ({ ...before, [key]: event.target.value })),
  });
  return (
    <Dialog title="Your password" close={close}>
      <form className={styles.form} onSubmit={submit}>
        <input type="hidden" name="username" autoComplete="username" value={name} readOnly />
        <Field label="Current password" note="Leave empty if you have no password yet.">
          {(attributes) => (
            <input {...attributes} {...secret("current", "current-password", false)} />
          )}
        </Field>
        <Field label="New password">
          {(attributes) => <input {...attributes} {...secret("password", "new-password", true)} />}
        </Field>
        <Field
          label="Confirm new password"
          wrong={differs ? "The passwords do not match." : undefined}
        >
          {(attributes) => <input {...attributes} {...secret("again", "new-password", true)} />}
        </Field>
        <InlineError error={change.error} />
        <div>
          <Button type="submit" look="primary" disabled={change.isPending || differs}>
            Change password
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
