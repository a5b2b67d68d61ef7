import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { dag as dagQuery } from "@/api/queries.ts";
import type { Run } from "@/api/types.ts";
import { runbookIn } from "@/lib/standing.ts";
import { stateWord } from "@/lib/states.ts";
import { absolute } from "@/lib/time.ts";
import { shown } from "@/lib/xcom.ts";
import { CopyText } from "@/parts/CopyText.tsx";
import { Doc } from "@/parts/Doc.tsx";
import { RunLink } from "@/parts/links.tsx";
import { Card } from "@/parts/Page.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import { useTeam } from "@/state/session.ts";
import { named, who } from "../events/describe.ts";
import { Value } from "./drawer/Value.tsx";
import styles from "./RunPage.module.css";

const DIGEST_CHARS = "sha256:".length + 12;

/** With what it ran: parameters, dates, versions; and whose it is. */
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
          {run.partition && (
            <Fact name="Partition">
              <CopyText text={run.partition} />
            </Fact>
          )}
          <Fact name="Created">
            {absolute(run.created_at)}
            {run.created_by && ` by ${who(run.created_by)}`}
          </Fact>
          <Fact name="Version">
            {run.version} <code className={styles.bundle}>{run.bundle_version.slice(0, 12)}</code>
          </Fact>
          {run.first_version !== null && run.repinned_at && (
            <Fact name="Code">
              Created with version {run.first_version}; switched to the latest code by{" "}
              {named(run.repinned_by ?? "")} at {absolute(run.repinned_at)}
            </Fact>
          )}
          {Object.entries(run.images).map(([image, digests]) => (
            <Fact key={image} name="Image">
              <CopyText text={image} />
              {digests.map((digest, at) => (
                <div key={digest} className={styles.digest}>
                  <CopyText text={digest} shown={digest.slice(0, DIGEST_CHARS)} />
                  {digests.length > 1 && (at === 0 ? "used by later pods" : "used by some pods")}
                </div>
              ))}
            </Fact>
          ))}
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
      <DagFacts dag={run.dag_id} />
    </div>
  );
}

/** Whom to ask, what to do, and when it runs again. */
function DagFacts({ dag: dagId }: { dag: string }) {
  const team = useTeam();
  const { data: dag, isError } = useQuery(dagQuery(dagId));
  if (!dag && isError) return null;
  if (!dag) {
    return (
      <Card title="About the DAG">
        <SkeletonRows count={3} />
      </Card>
    );
  }
  const runbook = runbookIn(dag.spec.doc);
  const last = dag.recent?.at(-1);
  return (
    <Card title="About the DAG">
      <dl className={styles.about}>
        {dag.owner && <Fact name="Owner">{dag.owner}</Fact>}
        {runbook && (
          <Fact name="Runbook">
            <a className={styles.link} href={runbook} target="_blank" rel="noreferrer noopener">
              {runbook}
            </a>
          </Fact>
        )}
        {dag.tags.length > 0 && (
          <Fact name="Tags">
            {dag.tags.map((tag, index) => (
              <span key={tag}>
                {index > 0 && ", "}
                <Link className={styles.link} to="/t/$team/dags" params={{ team }} search={{ tag }}>
                  {tag}
                </Link>
              </span>
            ))}
          </Fact>
        )}
        <Fact name="Schedule">{dag.schedule_words}</Fact>
        {last && (
          <Fact name="Last run">
            <RunLink run={last.run_id}>{absolute(last.logical_date)}</RunLink>,{" "}
            {stateWord(last.state)}
          </Fact>
        )}
        <Fact name="Next run">
          {dag.paused_at ? (
            "none: the DAG is paused"
          ) : dag.next_run_at ? (
            <RelativeTime at={dag.next_run_at} />
          ) : (
            "none planned"
          )}
        </Fact>
        {dag.description && <Fact name="About">{dag.description}</Fact>}
      </dl>
      {dag.spec.doc && (
        <div className={styles.doc}>
          <Doc text={dag.spec.doc} />
        </div>
      )}
    </Card>
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
