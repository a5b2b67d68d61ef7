import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { request } from "@/api/request.ts";
import type { NewWebhook } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import styles from "../Admin.module.css";

const OVERLAPS = { 24: "For a day", 1: "For an hour", 0: "No longer" } as const;

/** Give a webhook another secret, while the one before may still count. */
export function RotateDialog({
  hook,
  close,
  made,
}: {
  hook: string;
  close: () => void;
  made: (hook: NewWebhook) => void;
}) {
  const [overlap, setOverlap] = useState("24");
  const queries = useQueryClient();
  const rotate = useMutation({
    mutationFn: () =>
      request("post", "/webhooks/{name}/rotate", {
        path: { name: hook },
        body: { overlap_hours: Number(overlap) },
      }),
    onSuccess: (changed) => {
      queries.invalidateQueries({ queryKey: ["webhooks"] });
      close();
      made(changed);
    },
  });
  return (
    <Dialog
      title={`New secret for ${hook}`}
      close={close}
      foot={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button look="primary" disabled={rotate.isPending} onClick={() => rotate.mutate()}>
            Create secret
          </Button>
        </>
      }
    >
      <div className={styles.consequences}>
        <Field label="How long the present secret stays valid">
          {(attributes) => (
            <select
              {...attributes}
              value={overlap}
              onChange={(event) => setOverlap(event.target.value)}
            >
              {Object.entries(OVERLAPS)
                .reverse()
                .map(([hours, word]) => (
                  <option key={hours} value={hours}>
                    {word}
                  </option>
                ))}
            </select>
          )}
        </Field>
        <InlineError error={rotate.error} />
      </div>
    </Dialog>
  );
}
