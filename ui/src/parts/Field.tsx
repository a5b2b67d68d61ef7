import { type ReactNode, type RefObject, useEffect, useId, useRef } from "react";
import styles from "./Field.module.css";

export const inputClass = styles.input ?? "";

/** A label, what is asked for, a note, and what is wrong with it. */
export function Field({
  label,
  note,
  wrong,
  children,
}: {
  label: ReactNode;
  note?: ReactNode;
  wrong?: string | null;
  children: (attributes: {
    id: string;
    "aria-describedby": string | undefined;
    "aria-invalid": boolean;
    className: string;
  }) => ReactNode;
}) {
  const id = useId();
  const described = wrong || note ? `${id}-note` : undefined;
  return (
    <div className={styles.field}>
      <label className={styles.label} htmlFor={id}>
        {label}
      </label>
      {children({
        id,
        "aria-describedby": described,
        "aria-invalid": Boolean(wrong),
        className: inputClass,
      })}
      {(wrong || note) && (
        <div id={described} className={wrong ? styles.wrong : styles.note}>
          {wrong || note}
        </div>
      )}
    </div>
  );
}

/** Every form that is sent with a mistake puts the focus on the first field that has one. */
export function focusOnWrongWhenSent(): void {
  document.addEventListener("submit", ({ target }) => {
    // What is wrong may be told only now that it is sent.
    if (target instanceof HTMLElement) setTimeout(() => focusOnWrong(target));
  });
}

function focusOnWrong(form: HTMLElement): void {
  form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
}

/** The same after another attempt: a preview. */
export function useFocusOnWrong(
  form: RefObject<HTMLElement | null>,
  wrong: boolean,
  attempts: number,
): void {
  const seen = useRef(attempts);
  useEffect(() => {
    if (seen.current === attempts) return; // only then, not while somebody types
    seen.current = attempts;
    if (wrong && form.current) focusOnWrong(form.current);
  }, [form, wrong, attempts]);
}
