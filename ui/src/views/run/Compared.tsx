import type { Diagnosis } from "@/api/types.ts";
import { duration } from "@/lib/duration.ts";
import { absolute, minute } from "@/lib/time.ts";
import { brief, shown } from "@/lib/xcom.ts";
import { RunLink } from "@/parts/links.tsx";
import { Card } from "@/parts/Page.tsx";
import styles from "./RunPage.module.css";

/** What differs from the last run that went well. */
export function Compared({ to }: { to: NonNullable<Diagnosis["compared_to"]> }) {
  const link = (
    <span className={styles.other}>
      <RunLink run={to.run_id} /> of{" "}
      <time dateTime={to.logical_date} title={absolute(to.logical_date)} className="tabular">
        {minute(to.logical_date)}
      </time>
    </span>
  );
  return (
    <Card title="Changes since the last successful run" link={link}>
      {to.differences.length === 0 ? (
        <p className={styles.none}>Nothing differs: the same version, the same parameters.</p>
      ) : (
        <ul className={styles.rows}>
          {to.differences.map(({ what, before, after }) => (
            <li key={what}>
              <span>{what}</span>
              <span className={styles.change}>
                <del>{word(what, before)}</del> → <ins>{word(what, after)}</ins>
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function word(what: string, value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (what === "duration" && typeof value === "number") return duration(value);
  return typeof value === "string" ? value : brief(shown(value), 80);
}
