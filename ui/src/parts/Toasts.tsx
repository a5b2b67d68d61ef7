import { X } from "lucide-react";
import { sentence } from "@/lib/sentence.ts";
import { dismiss, undo, useToasts } from "@/state/toasts.ts";
import { Button, IconButton } from "./Button.tsx";
import { Hint } from "./Hint.tsx";
import { StateIcon } from "./State.tsx";
import styles from "./Toasts.module.css";

/** What actions led to; spoken by screen readers as it comes. */
export function Toasts() {
  return (
    <section className={styles.toasts} aria-live="polite" aria-label="Messages">
      {useToasts().map((toast) => (
        <div key={toast.id} className={styles.toast}>
          <StateIcon state={toast.kind === "done" ? "success" : "failed"} />
          <div className={styles.text}>
            <p>{sentence(toast.text)}</p>
            {toast.hint && <Hint text={toast.hint} />}
          </div>
          {toast.undo && (
            <Button small onClick={() => undo(toast.id)} title="Undo (z)">
              Undo
            </Button>
          )}
          <IconButton small label="Dismiss" onClick={() => dismiss(toast.id)}>
            <X size={14} />
          </IconButton>
        </div>
      ))}
    </section>
  );
}
