import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Run } from "@/api/types.ts";
import { absolute } from "@/lib/time.ts";
import { shown } from "@/lib/xcom.ts";
import { CopyText } from "@/parts/CopyText.tsx";
import { Card } from "@/parts/Page.tsx";
import { useTeam } from "@/state/session.ts";
import { Value } from "./drawer/Value.tsx";
import styles from "./RunPage.module.css";

/** With what it ran: parameters, dates, versions. */
export function RunFacts({ run }: { run: Run }) {
  const team = useTeam();
  const given = Object.keys(run.params).length;
  return (
    <div className={styles.pair}>
      <Card title="Parameters">
        {given === 0 ? (
          <p className={styles.none}>This run has no parameters.</p>
        ) : (
          <div className={styles.params}>
            <Value value={shown(run.params)} />
          </div>
        )}
      </Card>
      <Card title="About this run">
        <dl className={styles.about}>
          <Fact name="Run">
            <CopyText text={run.run_id} />
          </Fact>
          <Fact name="Logical date">{absolute(run.logical_date)}</Fact>
          {run.interval_start !== run.interval_end && (
            <Fact name="Interval">
              {absolute(run.interval_start)} – {absolute(run.interval_end)}
            </Fact>
          )}
          <Fact name="Created">
            {absolute(run.created_at)}
            {run.created_by && ` by ${run.created_by}`}
          </Fact>
          <Fact name="Version">
            {run.version} <code className={styles.bundle}>{run.bundle_version.slice(0, 12)}</code>
          </Fact>
          {run.first_version !== null && run.repinned_at && (
            <Fact name="Code">
              Created with version {run.first_version}; switched to the latest code by{" "}
              {run.repinned_by} at {absolute(run.repinned_at)}
            </Fact>
          )}
          {run.backfill_id && (
            <Fact name="Backfill">
              <Link
                className={styles.link}
                to="/t/$team/runs"
                params={{ team }}
                search={{ backfill: run.backfill_id }}
              >
                {run.backfill_id}
              </Link>
            </Fact>
          )}
        </dl>
      </Card>
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
