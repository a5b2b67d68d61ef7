import { Link } from "@tanstack/react-router";
import type { Diagnosis } from "@/api/types.ts";
import { named, word } from "@/lib/diff/runs.ts";
import { absolute, minute } from "@/lib/time.ts";
import { RunLink } from "@/parts/links.tsx";
import { Card } from "@/parts/Page.tsx";
import { useTeam } from "@/state/session.ts";
import styles from "./RunPage.module.css";

/** What differs from the last run that went well. */
export function Compared({ run, to }: { run: string; to: NonNullable<Diagnosis["compared_to"]> }) {
  const team = useTeam();
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
      <p className={styles.beside}>
        <Link
          className={styles.link}
          to="/t/$team/runs/$run/diff"
          params={{ team, run: to.run_id }}
          search={{ with: run }}
        >
          Compare them side by side
        </Link>
      </p>
      {to.differences.length === 0 ? (
        <p className={styles.none}>Nothing differs: the same version, the same parameters.</p>
      ) : (
        <ul className={styles.rows}>
          {to.differences.map(({ what, before, after }) => (
            <li key={what}>
              <span>{named(what)}</span>
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
