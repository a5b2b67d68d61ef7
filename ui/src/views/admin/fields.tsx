import { Field } from "@/parts/Field.tsx";
import { useRoles } from "./people.ts";

interface Props {
  label?: string;
  note?: string;
  value: string;
  change: (value: string) => void;
}

/** A line of text; with `required` it cannot be left empty. */
export function TextField({
  label = "Name",
  note,
  value,
  change,
  required = false,
  max,
}: Props & { required?: boolean; max?: number }) {
  return (
    <Field label={label} note={note}>
      {(attributes) => (
        <input
          {...attributes}
          required={required}
          maxLength={max}
          autoComplete="off"
          value={value}
          onChange={(event) => change(event.target.value)}
        />
      )}
    </Field>
  );
}

/** One of the roles that the caller may hand on. */
export function RoleField({ label = "Role", note, value, change }: Props) {
  const roles = useRoles();
  return (
    <Field label={label} note={note}>
      {(attributes) => (
        <select {...attributes} value={value} onChange={(event) => change(event.target.value)}>
          {roles.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      )}
    </Field>
  );
}
