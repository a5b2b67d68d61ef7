import type { ReactNode } from "react";
import type { Param } from "@/api/types.ts";
import { asked, type Draft, sections } from "@/lib/params.ts";
import { ParamField } from "./ParamField.tsx";
import styles from "./ParamFields.module.css";

interface Props {
  params: readonly Param[];
  drafts: ReadonlyMap<string, Draft>;
  /** What is wrong with each; undefined: it is not told yet. */
  wrong: ReadonlyMap<string, string> | undefined;
  onChange: (drafts: ReadonlyMap<string, Draft>) => void;
}

/** Parameters as a form, in their sections. */
export function ParamFields({ params, drafts, wrong, onChange }: Props) {
  return sections(asked(params)).map(([section, members]) => (
    <Section key={section} name={section}>
      {members.map((param) => (
        <ParamField
          key={param.name}
          param={param}
          draft={drafts.get(param.name)}
          wrong={wrong?.get(param.name)}
          onChange={(draft) => onChange(new Map(drafts).set(param.name, draft))}
        />
      ))}
    </Section>
  ));
}

/** Parameters that belong together, under a name; without one they stand for themselves. */
function Section({ name, children }: { name: string; children: ReactNode }) {
  if (!name) return children;
  return (
    <fieldset className={styles.section}>
      <legend className={styles.label}>{name}</legend>
      {children}
    </fieldset>
  );
}
