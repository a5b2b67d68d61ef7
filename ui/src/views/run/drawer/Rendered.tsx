import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { xcoms } from "@/api/instances.ts";
import type { LogKey } from "@/api/logs.ts";
import { rendered } from "@/api/rendered.ts";
import type { RenderedField } from "@/api/types.ts";
import { isLong, opening } from "@/lib/opening.ts";
import { CopyButton } from "@/parts/CopyText.tsx";
import styles from "./Drawer.module.css";
import { Section } from "./Section.tsx";

/** What the attempt really got: its arguments, its command. Nothing where there is nothing to show. */
export function Rendered({ attempt, ended }: { attempt: LogKey; ended: boolean }) {
  const fields = useQuery(rendered(attempt, ended)).data?.fields ?? [];
  const { run, task, map } = attempt;
  const above = useInfiniteQuery(xcoms(run, task, map)); // what came later would push this down
  if (fields.length === 0 || above.isPending) return null;
  return (
    <Section title="Rendered fields">
      {fields.map((field, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: fields are told once, and two may have one name
        <Field key={at} field={field} />
      ))}
    </Section>
  );
}

function Field({ field: { name, value } }: { field: RenderedField }) {
  return (
    <div className={styles.output}>
      <div className={styles.key}>
        <code>{name}</code>
        <CopyButton text={value} />
      </div>
      {isLong(value) ? (
        <details className={styles.field}>
          <summary>{opening(value)}</summary>
          {value}
        </details>
      ) : (
        <pre className={styles.field}>{value}</pre>
      )}
    </div>
  );
}
