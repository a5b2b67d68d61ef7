import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Affected } from "./Affected.tsx";
import { type MarkWish, useMark } from "./useRunAction.ts";

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
  const { task_id, map_index, state } = wish;
  return (
    <Dialog
      title={`Mark as ${state}`}
      close={close}
      foot={
        <>
          <Button onClick={close}>Leave it</Button>
          <Button
            look={state === "failed" ? "danger" : "primary"}
            disabled={mark.isPending}
            onClick={() => mark.mutate(wish, { onSuccess: close })}
          >
            Mark as {state}
          </Button>
        </>
      }
    >
      <Affected keys={[{ task_id, map_index }]} happens={`be marked as ${state}`} none="" />
      <p>{LEADS[state]}</p>
      <InlineError error={mark.error} />
    </Dialog>
  );
}
