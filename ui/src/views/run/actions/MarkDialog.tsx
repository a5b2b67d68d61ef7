import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Affected } from "./Affected.tsx";
import { type MarkWish, useMark, useMarkPlan } from "./useRunAction.ts";

const LEADS = {
  success: "Downstream tasks continue as if this task had succeeded.",
  failed:
    "Downstream tasks are handled as if this task had failed. If it is running, it is stopped.",
};

/** A person's word on a task instance. */
export function MarkDialog({
  run,
  wish,
  close,
}: {
  run: string;
  wish: MarkWish;
  close: () => void;
}) {
  const mark = useMark(run);
  const plan = useMarkPlan(run, wish);
  const { state } = wish;
  return (
    <Dialog
      title={`Mark as ${state}`}
      close={close}
      foot={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button
            look={state === "failed" ? "danger" : "primary"}
            disabled={!plan.data?.marked.length || mark.isPending}
            onClick={() => mark.mutate(wish, { onSuccess: close })}
          >
            Mark as {state}
          </Button>
        </>
      }
    >
      {plan.isError ? (
        <InlineError error={plan.error} />
      ) : (
        <Affected
          keys={plan.data?.marked}
          happens={`be marked as ${state}`}
          none={`This task is already marked as ${state}`}
        />
      )}
      <p>{LEADS[state]}</p>
      <InlineError error={mark.error} />
    </Dialog>
  );
}
