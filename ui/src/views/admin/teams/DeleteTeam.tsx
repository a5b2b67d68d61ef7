import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { request } from "@/api/request.ts";
import type { Team } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import { useTeam } from "@/state/session.ts";
import { say } from "@/state/toasts.ts";
import styles from "../Admin.module.css";

/** Says what ends with a team, and wants its name typed, so that nobody deletes the wrong one. */
export function DeleteTeam({ team, close }: { team: Team; close: () => void }) {
  const { name } = team;
  const here = useTeam() === name;
  const [typed, setTyped] = useState("");
  const [force, setForce] = useState(false);
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () =>
      request("delete", "/teams/{name}", { path: { name }, query: { confirm: typed, force } }),
    onSuccess: () => {
      if (here) return location.assign("/");
      say("done", `Deleted the team ${name}`);
      for (const queryKey of [["teams"], ["session"], ["slots"]])
        queries.invalidateQueries({ queryKey });
      close();
    },
  });
  return (
    <Dialog
      title={`Delete the team ${name}?`}
      close={close}
      foot={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button
            look="danger"
            disabled={remove.isPending || typed !== name}
            onClick={() => remove.mutate()}
          >
            Delete team
          </Button>
        </>
      }
    >
      <div className={styles.consequences}>
        <Consequences team={team} />
        <label className={styles.check}>
          <input
            type="checkbox"
            checked={force}
            onChange={(event) => setForce(event.target.checked)}
          />
          Cancel runs that have not ended
        </label>
        <Field label={`Type ${name} to confirm`}>
          {(attributes) => (
            <input
              {...attributes}
              autoComplete="off"
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
            />
          )}
        </Field>
        <InlineError error={remove.error} />
      </div>
    </Dialog>
  );
}

function Consequences({ team: { dags, members, used, waiting } }: { team: Team }) {
  return (
    <>
      <p>
        At once, {counted(members, "member")} {members === 1 ? "loses" : "lose"} access, the team’s
        tokens and sessions end, and its connections and variables are deleted.
      </p>
      <p>
        Within minutes, {counted(dags, "DAG")} with all runs and logs are deleted. The audit log is
        kept.
      </p>
      {used + waiting > 0 && (
        <p>
          {counted(used, "task")} running and {counted(waiting, "task")} waiting now: a team with
          runs that have not ended is deleted only if they are cancelled.
        </p>
      )}
      <p>You cannot undo this.</p>
    </>
  );
}
