import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Button } from "@/parts/Button.tsx";
import { CopyButton } from "@/parts/CopyText.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import styles from "./Actions.module.css";

const LIVES = [
  { hours: 24, word: "1 day" },
  { hours: 168, word: "7 days" },
  { hours: 720, word: "30 days" },
];

/** Create a link for people without an account, and show it once. */
export function LinkDialog({
  title,
  about,
  make,
  isReady = true,
  children,
  close,
}: {
  title: string;
  about: string;
  make: (hours: number) => Promise<{ url: string }>;
  /** Whether all that a link needs is filled in. */
  isReady?: boolean;
  /** The fields that this kind of link has. */
  children?: ReactNode;
  close: () => void;
}) {
  const [hours, setHours] = useState(168);
  const link = useMutation({ mutationFn: () => make(hours) });
  const made = link.data;
  return (
    <Dialog
      title={title}
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
            <Button
              look="primary"
              disabled={link.isPending || !isReady}
              onClick={() => link.mutate()}
            >
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
        <div className={styles.linking}>
          <p>{about}</p>
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
          {children}
        </div>
      )}
      <InlineError error={link.error} />
    </Dialog>
  );
}
