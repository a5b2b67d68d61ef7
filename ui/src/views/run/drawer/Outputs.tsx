import { useInfiniteQuery } from "@tanstack/react-query";
import { xcoms } from "@/api/instances.ts";
import type { XCom } from "@/api/types.ts";
import { bytes, counted } from "@/lib/count.ts";
import { shown } from "@/lib/xcom.ts";
import { Button } from "@/parts/Button.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import styles from "./Drawer.module.css";
import { Section } from "./Section.tsx";
import { Value } from "./Value.tsx";

/** What the task returned. */
export function Outputs({ run, task, map }: { run: string; task: string; map: number }) {
  const found = useInfiniteQuery(xcoms(run, task, map));
  if (!found.data && !found.isError) return null;
  return (
    <Section title="Result">
      <InlineError error={found.error} />
      {found.data?.length === 0 && <p className={styles.none}>This task returned no result.</p>}
      {found.data?.map((xcom) => (
        <div key={xcom.key} className={styles.output}>
          <p className={styles.key}>
            <code>{xcom.key}</code>
            <span>{sizeOf(xcom)}</span>
          </p>
          {xcom.file ? (
            <p className={styles.none}>
              Too large to show here. It is stored in <code>{xcom.file}</code>
            </p>
          ) : (
            <Value value={shown(xcom.value)} />
          )}
          {xcom.masked && (
            <p className={styles.none}>
              *** stands for a secret that the task used. Tasks that receive this result get it
              whole.
            </p>
          )}
        </div>
      ))}
      {found.hasNextPage && (
        <Button small onClick={() => found.fetchNextPage()}>
          More
        </Button>
      )}
    </Section>
  );
}

function sizeOf({ size, length }: XCom): string {
  return length === null ? bytes(size) : `${counted(length, "item")}, ${bytes(size)}`;
}
