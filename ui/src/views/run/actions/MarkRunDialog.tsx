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
  success: "Failed tasks will count as successful. Skipped and cancelled tasks will not change.",
  failed: "Successful tasks will not change.",
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
          <Button onClick={close}>Cancel</Button>
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
          none={`No tasks are left to mark as ${state}`}
        />
      )}
      <p className={styles.after}>
        {ending > 0 && `${counted(ending, "task instance")} in progress will be stopped first. `}
        No more tasks of this run will start. {LEADS[state]}
      </p>
      <InlineError error={mark.error} />
    </Dialog>
  );
}
