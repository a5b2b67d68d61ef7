import { useState } from "react";
import type { Run } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import styles from "./Actions.module.css";
import { useNote } from "./useRunAction.ts";

/** A word for the next person who looks at this run. */
export function NoteDialog({ run, close }: { run: Run; close: () => void }) {
  const [text, setText] = useState(run.note ?? "");
  const note = useNote(run.run_id);
  return (
    <Dialog
      title="Note"
      close={close}
      foot={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button
            look="primary"
            disabled={note.isPending || text === (run.note ?? "")}
            onClick={() =>
              note.mutate({ note: text.trim(), before: run.note ?? "" }, { onSuccess: close })
            }
          >
            Save note
          </Button>
        </>
      }
    >
      <Field label="What the next person should know">
        {({ className, ...attributes }) => (
          <textarea
            {...attributes}
            className={`${className} ${styles.note}`}
            maxLength={2_000}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      <InlineError error={note.error} />
    </Dialog>
  );
}
