import { useId } from "react";
import type { Param } from "@/api/types.ts";
import { choices, labelOf, shown, typed } from "@/lib/params.ts";

interface Props {
  param: Param;
  draft: string;
  attributes: {
    id: string;
    "aria-describedby": string | undefined;
    "aria-invalid": boolean;
    className: string;
  };
  onChange: (draft: string) => void;
}

/** What a value is put into: a list to choose from, lines, or one line with suggestions. */
export function ParamInput({ param, draft, attributes, onChange }: Props) {
  const suggested = useId();
  const kind = typed(param);
  if (kind === "choice") {
    const known = choices(param);
    return (
      <select {...attributes} value={draft} onChange={(event) => onChange(event.target.value)}>
        {(!param.required || !known.some((each) => shown(each) === draft)) && (
          <option value="">–</option>
        )}
        {known.map((each) => (
          <option key={shown(each)} value={shown(each)}>
            {labelOf(param, each)}
          </option>
        ))}
      </select>
    );
  }
  if (kind === "json" || kind === "lines" || kind === "list") {
    return (
      <textarea
        {...attributes}
        rows={Math.min(10, draft.split("\n").length + 1)}
        value={draft}
        placeholder={kind === "json" ? placeholderOf(param) : undefined}
        onChange={(event) => onChange(event.target.value)}
        spellCheck={false}
      />
    );
  }
  const examples = param.examples ?? [];
  return (
    <>
      <input
        {...attributes}
        {...LOOKS[kind]}
        list={examples.length > 0 ? suggested : undefined}
        value={draft}
        onChange={(event) => onChange(event.target.value)}
        spellCheck={false}
      />
      {examples.length > 0 && (
        <datalist id={suggested}>
          {examples.map((each) => (
            <option key={shown(each)} value={shown(each)}>
              {labelOf(param, each)}
            </option>
          ))}
        </datalist>
      )}
    </>
  );
}

function placeholderOf(param: Param): string {
  return param.type === "array" ? "[…]" : param.type === "object" ? "{…}" : "JSON";
}

/** How one line is asked for. */
const LOOKS: Record<string, { type?: string; step?: number; inputMode?: "decimal" }> = {
  date: { type: "date" },
  time: { type: "time", step: 1 },
  instant: { type: "datetime-local", step: 1 },
  number: { inputMode: "decimal" },
};
