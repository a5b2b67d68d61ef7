import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { say } from "@/state/toasts.ts";
import styles from "./Admin.module.css";

/** No Undo: a secret that is deleted is nowhere any more. */
export function DeleteSecret({
  what,
  name,
  noun,
  remove,
  children,
  close,
}: {
  what: string;
  name: string;
  /** The query that lists them. */
  noun: string;
  remove: () => Promise<unknown>;
  children: ReactNode;
  close: () => void;
}) {
  const queries = useQueryClient();
  const deletion = useMutation({
    mutationFn: remove,
    onSuccess: () => {
      say("done", `Deleted the ${what} ${name}`);
      queries.invalidateQueries({ queryKey: [noun] });
      close();
    },
  });
  return (
    <Dialog
      title={`Delete ${name}?`}
      close={close}
      foot={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button look="danger" disabled={deletion.isPending} onClick={() => deletion.mutate()}>
            Delete {what}
          </Button>
        </>
      }
    >
      <div className={styles.consequences}>
        {children}
        <InlineError error={deletion.error} />
      </div>
    </Dialog>
  );
}
