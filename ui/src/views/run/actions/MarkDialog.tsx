import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Affected } from "./Affected.tsx";
import { type MarkWish, useMark, useMarkPlan } from "./useRunAction.ts";

const LEADS = {
  success: "What comes after it goes on as if it had succeeded.",
  failed: "What comes after it is judged as if it had failed. If it runs, it is told to end.",
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
          <Button onClick={close}>Leave it</Button>
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
          none={`It is marked as ${state} already`}
        />
      )}
      <p>{LEADS[state]}</p>
      <InlineError error={mark.error} />
    </Dialog>
  );
}
