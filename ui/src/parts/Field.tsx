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

/** After each attempt to send a form with mistakes: put the focus on the first field that has one. */
export function useFocusOnWrong(
  form: RefObject<HTMLElement | null>,
  wrong: boolean,
  attempts: number,
): void {
  const seen = useRef(attempts);
  useEffect(() => {
    if (seen.current === attempts) return; // only then, not while somebody types
    seen.current = attempts;
    if (wrong) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [form, wrong, attempts]);
}
