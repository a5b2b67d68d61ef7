import type { Run } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { isFinal } from "@/lib/states.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { StateCounts } from "@/parts/State.tsx";
import styles from "./Actions.module.css";
import { useCancel } from "./useRunAction.ts";

/** End a run: what runs is told to end, what waits does not start. */
export function CancelDialog({ run, close }: { run: Run; close: () => void }) {
  const cancel = useCancel(run.run_id);
  const open = Object.fromEntries(Object.entries(run.counts).filter(([state]) => !isFinal(state)));
  const sum = Object.values(open).reduce((total, count) => total + count, 0);
  return (
    <Dialog
      title="Cancel this run"
      close={close}
      foot={
        <>
          <Button onClick={close}>Keep running</Button>
          <Button
            look="danger"
            disabled={cancel.isPending}
            onClick={() => cancel.mutate(undefined, { onSuccess: close })}
          >
            Cancel run
          </Button>
        </>
      }
    >
      <p className={styles.sentence}>{counted(sum, "task instance")} will be cancelled:</p>
      <StateCounts counts={open} />
      <p>Finished tasks will not change. To continue later, clear the cancelled tasks.</p>
      <InlineError error={cancel.error} />
    </Dialog>
  );
}
