import { type ReactNode, useId } from "react";
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
