import { useId } from "react";
import type { Param } from "@/api/types.ts";
import { type Draft, draftOf, shown, typed } from "@/lib/params.ts";
import { Field } from "@/parts/Field.tsx";
import { Switch } from "@/parts/Switch.tsx";
import styles from "./Trigger.module.css";

interface Props {
  param: Param;
  draft: Draft | undefined;
  wrong: string | undefined;
  onChange: (draft: Draft) => void;
}

/** A parameter, asked for by its type. */
export function ParamField({ param, draft = draftOf(param), wrong, onChange }: Props) {
  const id = useId();
  if (typeof draft === "boolean") {
    return (
      <div className={styles.row}>
        <div id={id}>
          <p className={styles.label}>{param.name}</p>
          {param.description && <p className={styles.note}>{param.description}</p>}
        </div>
        <Switch on={draft} label={param.name} onChange={onChange} />
      </div>
    );
  }
  const kind = typed(param);
  const type = param.format || (param.type ?? "any");
  return (
    <Field
      label={
        <>
          {param.name}{" "}
          <span className={styles.required}>
            {type}
            {param.required ? ", needed" : ""}
          </span>
        </>
      }
      note={param.description}
      wrong={wrong}
    >
      {(attributes) =>
        kind === "choice" ? (
          <select {...attributes} value={draft} onChange={(event) => onChange(event.target.value)}>
            {!param.enum?.some((each) => shown(each) === draft) && <option value="">–</option>}
            {param.enum?.map((each) => (
              <option key={shown(each)}>{shown(each)}</option>
            ))}
          </select>
        ) : kind === "json" ? (
          <textarea
            {...attributes}
            rows={Math.min(10, draft.split("\n").length + 1)}
            value={draft}
            placeholder={type === "array" ? "[…]" : type === "object" ? "{…}" : "JSON"}
            onChange={(event) => onChange(event.target.value)}
            spellCheck={false}
          />
        ) : (
          <input
            {...attributes}
            {...lookOf(param)}
            value={draft}
            onChange={(event) => onChange(event.target.value)}
            spellCheck={false}
          />
        )
      }
    </Field>
  );
}

/** How a line of text is asked for. */
function lookOf(param: Param) {
  if (param.format === "date-time") return { placeholder: "2013-01-31T05:00:00Z" };
  if (typed(param) === "date") return { type: "date" };
  return typed(param) === "number" ? { inputMode: "decimal" as const } : {};
}
