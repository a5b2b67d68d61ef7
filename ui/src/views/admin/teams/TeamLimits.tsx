import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { request } from "@/api/request.ts";
import type { Team } from "@/api/types.ts";
import { changedLimits, labelOf, standingOf, textsOf } from "@/lib/limits.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import { say } from "@/state/toasts.ts";
import styles from "../Admin.module.css";
import { wrongSlots } from "./settings.ts";

/** The limits of a team, with what counts against each now. */
export function TeamLimits({ team, close }: { team: Team; close: () => void }) {
  const { name } = team;
  const limits = team.limits ?? [];
  const [texts, setTexts] = useState(() => textsOf(limits));
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: () =>
      request("patch", "/teams/{name}", {
        path: { name },
        body: { limits: changedLimits(texts, limits) },
      }),
    onSuccess: () => {
      say("done", `Changed the limits of ${name}`);
      queries.invalidateQueries({ queryKey: ["teams"] });
      close();
    },
  });
  function submit(event: FormEvent) {
    event.preventDefault();
    if (limits.every((limit) => !wrongSlots(texts[limit.name] ?? ""))) save.mutate();
  }
  return (
    <Dialog title={`Limits of ${name}`} close={close}>
      <form className={styles.form} onSubmit={submit}>
        {limits.map((limit) => (
          <Field
            key={limit.name}
            label={labelOf(limit.name)}
            note={standingOf(limit)}
            wrong={wrongSlots(texts[limit.name] ?? "")}
          >
            {(attributes) => (
              <input
                {...attributes}
                inputMode="numeric"
                autoComplete="off"
                placeholder="no limit"
                value={texts[limit.name] ?? ""}
                onChange={(event) =>
                  setTexts((before) => ({ ...before, [limit.name]: event.target.value }))
                }
              />
            )}
          </Field>
        ))}
        <InlineError error={save.error} />
        <div>
          <Button type="submit" look="primary" disabled={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
