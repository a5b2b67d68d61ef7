import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { request } from "@/api/request.ts";
import { Button } from "@/parts/Button.tsx";
import { CopyButton } from "@/parts/CopyText.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import { useMay } from "@/state/session.ts";
import styles from "./Actions.module.css";

const LIVES = [
  { hours: 24, word: "1 day" },
  { hours: 168, word: "7 days" },
  { hours: 720, word: "30 days" },
];

/** A link by which somebody without an account reads this run. */
export function RunLinkDialog({ run, close }: { run: string; close: () => void }) {
  const [hours, setHours] = useState(168);
  const [withLogs, setWithLogs] = useState(false);
  const mayShowLogs = useMay("log.read");
  const link = useMutation({
    mutationFn: () =>
      request("post", "/runs/{run_id}/links", {
        path: { run_id: run },
        body: { hours, with_logs: withLogs },
      }),
  });
  const made = link.data;
  return (
    <Dialog
      title="Link to this run"
      close={close}
      foot={
        made ? (
          <>
            <CopyButton text={made.url} />
            <Button onClick={close}>Done</Button>
          </>
        ) : (
          <>
            <Button onClick={close}>Cancel</Button>
            <Button look="primary" disabled={link.isPending} onClick={() => link.mutate()}>
              Create link
            </Button>
          </>
        )
      }
    >
      {made ? (
        <>
          <p>Copy the link now. It is not shown again.</p>
          <code className={styles.link}>{made.url}</code>
        </>
      ) : (
        <>
          <p>Anyone with the link can read this run without signing in, until the link expires.</p>
          <Field label="Expires after">
            {(attributes) => (
              <select
                {...attributes}
                value={hours}
                onChange={(event) => setHours(Number(event.target.value))}
              >
                {LIVES.map((each) => (
                  <option key={each.hours} value={each.hours}>
                    {each.word}
                  </option>
                ))}
              </select>
            )}
          </Field>
          {mayShowLogs && (
            <label>
              <input
                type="checkbox"
                checked={withLogs}
                onChange={(event) => setWithLogs(event.target.checked)}
              />{" "}
              Also show the log around each error
            </label>
          )}
        </>
      )}
      <InlineError error={link.error} />
    </Dialog>
  );
}
