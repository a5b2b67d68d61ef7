import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { request } from "@/api/request.ts";
import type { Grant } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import { say } from "@/state/toasts.ts";
import styles from "../Admin.module.css";
import { TextField } from "../fields.tsx";
import { WORDS } from "./grants.ts";

const TEXTS = {
  give: {
    title: "Give access to a DAG",
    team: "Name of the team that gets access. Headway does not say whether it exists.",
    dag: "A DAG of your team.",
    button: "Give access",
  },
  ask: {
    title: "Ask for access to a DAG",
    team: "Name of the team that owns the DAG. Headway does not say whether it exists.",
    dag: "A DAG of that team.",
    button: "Ask for access",
  },
} as const;

/** To give a grant, or to ask for one. */
export function GrantForm({ what, close }: { what: "give" | "ask"; close: () => void }) {
  const texts = TEXTS[what];
  const [team, setTeam] = useState("");
  const [dag, setDag] = useState("");
  const [kind, setKind] = useState<Grant["kind"]>("see_runs");
  const [note, setNote] = useState("");
  const queries = useQueryClient();
  const make = useMutation({
    mutationFn: () => {
      const about = { dag_id: dag.trim(), kind, note };
      return what === "give"
        ? request("post", "/grants", { body: { ...about, grantee: team.trim() } })
        : request("post", "/grants/requests", { body: { ...about, owner: team.trim() } });
    },
    onSuccess: (grant) => {
      queries.invalidateQueries({ queryKey: ["grants"] });
      const asked = `Asked ${grant.owner} for access to ${grant.dag_id}`;
      say("done", what === "ask" ? asked : `Gave ${grant.grantee} access to ${grant.dag_id}`);
      close();
    },
  });
  function submit(event: FormEvent) {
    event.preventDefault();
    make.mutate();
  }
  return (
    <Dialog title={texts.title} close={close}>
      <form className={styles.form} onSubmit={submit}>
        <TextField label="Team" note={texts.team} required value={team} change={setTeam} />
        <TextField label="DAG" note={texts.dag} required value={dag} change={setDag} />
        <Field label="Access" note="Start does not include seeing the runs.">
          {(attributes) => (
            <select
              {...attributes}
              value={kind}
              onChange={(event) => setKind(event.target.value as Grant["kind"])}
            >
              {Object.entries(WORDS).map(([each, word]) => (
                <option key={each} value={each}>
                  {word}
                </option>
              ))}
            </select>
          )}
        </Field>
        <TextField
          label="Note"
          note="A word to the other team."
          max={500}
          value={note}
          change={setNote}
        />
        <InlineError error={make.error} />
        <div>
          <Button type="submit" look="primary" disabled={make.isPending}>
            {texts.button}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
