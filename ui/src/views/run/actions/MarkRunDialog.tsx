import { useState } from "react";
import { counted } from "@/lib/count.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import styles from "./Actions.module.css";
import { Affected } from "./Affected.tsx";
import { type MarkWish, useMark, useMarkPlan } from "./useRunAction.ts";

type State = MarkWish["state"];

const LEADS: Record<State, string> = {
  success: "What failed counts as a success too. What was skipped or cancelled stays as it is.",
  failed: "What has succeeded stays a success.",
};

/** A person's word on a whole run: first exactly what it reaches, then the button. */
export function MarkRunDialog({ run, close }: { run: string; close: () => void }) {
  const [state, setState] = useState<State>("success");
  const plan = useMarkPlan(run, { state });
  const mark = useMark(run);
  const { marked = [], ending = 0 } = plan.data ?? {};
  return (
    <Dialog
      title="Mark this run"
      close={close}
      foot={
        <>
          <Button onClick={close}>Leave it</Button>
          <Button
            look={state === "failed" ? "danger" : "primary"}
            disabled={marked.length === 0 || plan.isPlaceholderData || mark.isPending}
            onClick={() => mark.mutate({ state }, { onSuccess: close })}
          >
            Mark as {state}
          </Button>
        </>
      }
    >
      <fieldset className={styles.choices}>
        <legend className="sr-only">As what</legend>
        {(["success", "failed"] as const).map((each) => (
          <label key={each} className={styles.choice}>
            <input
              type="radio"
              name="state"
              checked={state === each}
              onChange={() => setState(each)}
            />
            {each}
          </label>
        ))}
      </fieldset>
      {plan.isError ? (
        <InlineError error={plan.error} />
      ) : (
        <Affected
          keys={plan.data?.marked}
          happens={`be marked as ${state}`}
          none={`Nothing is left to mark as ${state}`}
        />
      )}
      <p className={styles.after}>
        {ending > 0 && `${counted(ending, "task instance")} in progress: told to end first. `}
        Nothing of this run will run any more. {LEADS[state]}
      </p>
      <InlineError error={mark.error} />
    </Dialog>
  );
}
