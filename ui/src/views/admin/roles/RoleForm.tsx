import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { request } from "@/api/request.ts";
import type { TeamRole, Verb } from "@/api/types.ts";
import { VERB_WORDS, VERBS } from "@/api/words.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { useSession } from "@/state/session.ts";
import { say } from "@/state/toasts.ts";
import styles from "../Admin.module.css";
import { TextField } from "../fields.tsx";

/** A new role, or another set of verbs for one: what nobody hands on who does not have it is greyed out. */
export function RoleForm({ stored, close }: { stored?: TeamRole; close: () => void }) {
  const held = useSession().verbs;
  const [name, setName] = useState(stored?.name ?? "");
  const [description, setDescription] = useState(stored?.description ?? "");
  const [verbs, setVerbs] = useState<ReadonlySet<Verb>>(new Set(stored?.verbs));
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: () => {
      const body = { verbs: VERBS.filter((verb) => verbs.has(verb)), description };
      return stored
        ? request("patch", "/roles/{name}", { path: { name }, body })
        : request("post", "/roles", { body: { ...body, name: name.trim() } });
    },
    onSuccess: (role) => {
      say("done", `${stored ? "Changed" : "Created"} the role ${role.name}`);
      for (const queryKey of [["roles"], ["session"]]) queries.invalidateQueries({ queryKey });
      close();
    },
  });
  function submit(event: FormEvent) {
    event.preventDefault();
    save.mutate();
  }
  function toggle(verb: Verb) {
    const next = new Set(verbs);
    if (!next.delete(verb)) next.add(verb);
    setVerbs(next);
  }
  return (
    <Dialog title={stored ? `Role ${stored.name}` : "New role"} close={close} wide>
      <form className={styles.form} onSubmit={submit}>
        {!stored && (
          <TextField
            note="Lower-case letters and digits, for example triage."
            required
            value={name}
            change={setName}
          />
        )}
        <TextField label="Description" max={500} value={description} change={setDescription} />
        <fieldset className={styles.verbs}>
          <legend>What the role allows</legend>
          {VERBS.map((verb) => (
            <label key={verb} className={styles.check}>
              <input
                type="checkbox"
                checked={verbs.has(verb)}
                disabled={!held.includes(verb)}
                onChange={() => toggle(verb)}
              />
              <span>
                {VERB_WORDS[verb]} <code>{verb}</code>
              </span>
            </label>
          ))}
        </fieldset>
        {stored && <p>Everyone who has this role is affected at once.</p>}
        <InlineError error={save.error} />
        <div>
          <Button type="submit" look="primary" disabled={save.isPending || verbs.size === 0}>
            {stored ? "Change role" : "Create role"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
