import { Field } from "@/parts/Field.tsx";
import styles from "../Admin.module.css";
import type { Form } from "./form.ts";

/** A secret to write: what is stored can be kept, replaced or removed, never read. */
export function Password({
  label,
  stored,
  form,
  change,
}: {
  label: string;
  stored: boolean;
  form: Form;
  change: (part: Partial<Form>) => void;
}) {
  return (
    <>
      <Field label={label} note={stored ? "Leave empty to keep the stored one." : null}>
        {(attributes) => (
          <input
            {...attributes}
            type="password"
            autoComplete="new-password"
            disabled={form.forget}
            value={form.password}
            onChange={(event) => change({ password: event.target.value })}
          />
        )}
      </Field>
      {stored && (
        <label className={styles.check}>
          <input
            type="checkbox"
            checked={form.forget}
            onChange={(event) => change({ forget: event.target.checked, password: "" })}
          />
          Remove what is stored
        </label>
      )}
    </>
  );
}
