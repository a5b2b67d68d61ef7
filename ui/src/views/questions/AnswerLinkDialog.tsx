import { useState } from "react";
import { request } from "@/api/request.ts";
import type { Question } from "@/api/types.ts";
import { Field } from "@/parts/Field.tsx";
import { LinkDialog } from "../run/actions/LinkDialog.tsx";

/** A link by which somebody without an account answers this question. */
export function AnswerLinkDialog({ question, close }: { question: Question; close: () => void }) {
  const [recipient, setRecipient] = useState("");
  const { run_id, task_id, map_index } = question;
  return (
    <LinkDialog
      title="Link to this question"
      about="Whoever has the link can answer this question without signing in, and sees nothing else. The first answer counts."
      make={(hours) =>
        request("post", "/runs/{run_id}/task-instances/{task_id}/answer-links", {
          path: { run_id, task_id },
          body: { recipient: recipient.trim(), map_index, hours },
        })
      }
      isReady={recipient.trim() !== ""}
      close={close}
    >
      <Field
        label="For whom"
        note="For instance ann@acme.example. The audit names them as the one who answered."
      >
        {(attributes) => (
          <input
            {...attributes}
            maxLength={100}
            autoComplete="off"
            value={recipient}
            onChange={(event) => setRecipient(event.target.value)}
          />
        )}
      </Field>
    </LinkDialog>
  );
}
