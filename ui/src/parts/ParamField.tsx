import { useId } from "react";
import type { Param } from "@/api/types.ts";
import { bounds, type Draft, draftOf, isNullable, keyword, typed } from "@/lib/params.ts";
import { zone } from "@/lib/time.ts";
import { Field } from "./Field.tsx";
import styles from "./ParamFields.module.css";
import { ParamInput } from "./ParamInput.tsx";
import { Switch } from "./Switch.tsx";

interface Props {
  param: Param;
  draft: Draft | undefined;
  wrong: string | undefined;
  onChange: (draft: Draft) => void;
}

/** A parameter, asked for by its schema. */
export function ParamField({ param, draft = draftOf(param), wrong, onChange }: Props) {
  const id = useId();
  const name = param.title || param.name;
  if (typeof draft === "boolean") {
    return (
      <div className={styles.row}>
        <div id={id}>
          <p className={styles.label}>{name}</p>
          {param.description && <p className={styles.note}>{param.description}</p>}
        </div>
        <Switch on={draft} label={name} onChange={onChange} />
      </div>
    );
  }
  return (
    <Field
      label={
        <>
          {name} <span className={styles.required}>{toldOf(param)}</span>
        </>
      }
      note={noteOf(param)}
      wrong={wrong}
    >
      {(attributes) => (
        <ParamInput param={param} draft={draft} attributes={attributes} onChange={onChange} />
      )}
    </Field>
  );
}

/** Its name where a title hides it, its type, and whether it must be given. */
function toldOf(param: Param): string {
  const type = param.format || keyword(param, "format") || (param.type ?? "any");
  return [
    ...(param.title ? [param.name] : []),
    isNullable(param) ? `${type} or nothing` : type,
    ...(param.required ? ["needed"] : []),
  ].join(", ");
}

function noteOf(param: Param): string {
  const kind = typed(param);
  const limits = bounds(param);
  return [
    param.description ?? "",
    limits && `${limits.charAt(0).toUpperCase()}${limits.slice(1)}.`,
    kind === "list" ? "One value a line." : "",
    kind === "instant" ? `In ${zone()}.` : "",
  ]
    .filter(Boolean)
    .join(" ");
}
