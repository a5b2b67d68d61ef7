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
import { subjectOf, WORDS } from "./grants.ts";

const TEXTS = {
  give: {
    title: "Give access",
    team: "Name of the team that gets access. Headway does not say whether it exists.",
    whose: "of your team",
    button: "Give access",
  },
  ask: {
    title: "Ask for access",
    team: "Name of the team that you ask. Headway does not say whether it exists.",
    whose: "of that team",
    button: "Ask for access",
  },
} as const;

/** What the access is good for. Names of another team's things are written with the team. */
const NOTES: Readonly<Record<Grant["kind"], (team: string, what: "give" | "ask") => string>> = {
  see_runs: () => "States, times, tasks and parameters; no code, logs or results.",
  start: () => "Does not include seeing the runs.",
  wait: (team, what) => `Tasks wait with wait_for_run(${reference(team, what, "DAG")}).`,
  use_asset: (team, what) => `DAGs are scheduled on Asset(${reference(team, what, "ASSET")}).`,
  use_pool: (team, what) =>
    `Tasks run in @task(pool=${reference(team, what, "POOL")}). Both teams share its slots.`,
};

const LABELS = { DAG: "DAG", asset: "Asset", pool: "Pool" } as const;

const reference = (team: string, what: "give" | "ask", name: string) =>
  `"@${what === "ask" ? team : "your-team"}/${name}"`;

/** To give a grant, or to ask for one. */
export function GrantForm({ what, close }: { what: "give" | "ask"; close: () => void }) {
  const texts = TEXTS[what];
  const [team, setTeam] = useState("");
  const [name, setName] = useState("");
  const [kind, setKind] = useState<Grant["kind"]>("see_runs");
  const [note, setNote] = useState("");
  const subject = subjectOf(kind);
  const queries = useQueryClient();
  const make = useMutation({
    mutationFn: () => {
      const about = { name: name.trim(), kind, note };
      return what === "give"
        ? request("post", "/grants", { body: { ...about, grantee: team.trim() } })
        : request("post", "/grants/requests", { body: { ...about, owner: team.trim() } });
    },
    onSuccess: (grant) => {
      queries.invalidateQueries({ queryKey: ["grants"] });
      const asked = `Asked ${grant.owner} for access to ${grant.name}`;
      say("done", what === "ask" ? asked : `Gave ${grant.grantee} access to ${grant.name}`);
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
        <Field label="Access" note={NOTES[kind](team.trim() || "TEAM", what)}>
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
          label={LABELS[subject]}
          note={`Name of the ${subject}, ${texts.whose}.`}
          required
          value={name}
          change={setName}
        />
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
