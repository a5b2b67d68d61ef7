import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useMatch, useMatches, useParams } from "@tanstack/react-router";
import { Pause, Play, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { dag as dagQuery } from "@/api/queries.ts";
import type { DagDetail } from "@/api/types.ts";
import { selectionOf } from "@/lib/selection.ts";
import { runbookIn } from "@/lib/standing.ts";
import { Button, buttonClass } from "@/parts/Button.tsx";
import { Doc } from "@/parts/Doc.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { Page } from "@/parts/Page.tsx";
import { Skeleton } from "@/parts/Skeleton.tsx";
import { StateIcon } from "@/parts/State.tsx";
import { Tabs, tabClass } from "@/parts/Tabs.tsx";
import { useMay } from "@/state/session.ts";
import { Awaited } from "./Awaited.tsx";
import { usePause } from "./actions.ts";
import styles from "./DagFrame.module.css";
import { RunNav } from "./RunNav.tsx";
import { Selected, UnknownSelection } from "./Selected.tsx";
import { Standing } from "./Standing.tsx";
import { AIRFLOW, TABS } from "./tabs.ts";

/** What stands above every view of a DAG. */
export function DagFrame() {
  const { team, dag } = useParams({ from: "/t/$team/dags/$dag" });
  const found = useQuery(dagQuery(dag));
  const view = useMatches().at(-1)?.fullPath;
  const ofRun = TABS.some(({ to, ofRun }) => ofRun && to === view);
  if (found.isError && !found.data) {
    return (
      <Page title={dag}>
        <ErrorState error={found.error} what={`The DAG ${dag}`} retry={() => found.refetch()} />
      </Page>
    );
  }
  return (
    <Page
      title={dag}
      heading={<Heading dag={dag} detail={found.data} />}
      note={<Facts detail={found.data} />}
      actions={<Actions dag={dag} detail={found.data} />}
      loading={!found.data}
    >
      {found.data && <Standing dag={found.data} />}
      {found.data?.spec.doc && <About text={found.data.spec.doc} />}
      {found.data?.import_error && (
        <div className={styles.broken} role="status">
          <StateIcon state="failed" />
          <span>
            Its file could not be loaded; runs use version {found.data.version}:{" "}
            <code>{found.data.import_error.message}</code>
          </span>
        </div>
      )}
      {found.data?.warnings && found.data.warnings.length > 0 && (
        <ul className={styles.warned} aria-label="Warnings in this DAG’s file">
          {found.data.warnings.map((said) => (
            <li key={said}>
              <TriangleAlert size={14} aria-hidden />
              <span>
                <code>{found.data.file}</code> {said}
              </span>
            </li>
          ))}
        </ul>
      )}
      <div className={styles.rest} data-loading={!found.data}>
        <Tabs label="Views">
          {[...TABS, ...(found.data?.airflow_runs ? [AIRFLOW] : [])].map(({ to, word }) => (
            <Link
              key={to}
              to={to}
              params={{ team, dag }}
              search={(before) => selectionOf(before)}
              activeOptions={{ includeSearch: false }}
              className={tabClass}
            >
              {word}
            </Link>
          ))}
        </Tabs>
        <div className={styles.view}>
          <div className={styles.content}>
            {ofRun && <RunNav dag={dag} />}
            <UnknownSelection dag={dag} />
            <Outlet />
          </div>
          <Selected dag={dag} />
        </div>
      </div>
    </Page>
  );
}

/** The author's documentation, one line high until somebody asks. */
function About({ text }: { text: string }) {
  const [open, setOpen] = useState(false);
  return (
    <details className={styles.about} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>About this DAG</summary>
      {open && <Doc text={text} waiting={<Skeleton width={320} height={20} />} />}
    </details>
  );
}

function Heading({ dag, detail }: { dag: string; detail: DagDetail | undefined }) {
  return (
    <span className={styles.title}>
      {dag}
      {detail?.paused_at && <span className={styles.paused}>paused</span>}
      {detail?.missing_since && <span className={styles.paused}>no longer in the folder</span>}
    </span>
  );
}

function Facts({ detail }: { detail: DagDetail | undefined }) {
  if (!detail) return <Skeleton width={260} height={20} />;
  const runbook = runbookIn(detail.spec.doc);
  return (
    <span className={styles.facts}>
      <span>{detail.schedule_words}</span>
      <span>version {detail.version}</span>
      {detail.owner && <span>owner {detail.owner}</span>}
      {runbook && (
        <a className={styles.out} href={runbook} target="_blank" rel="noreferrer noopener">
          Runbook
        </a>
      )}
      {detail.tags.length > 0 && <Tags tags={detail.tags} />}
      <Awaited dag={detail.dag_id} />
      {detail.description && <span>{detail.description}</span>}
    </span>
  );
}

function Tags({ tags }: { tags: readonly string[] }) {
  const { team } = useParams({ from: "/t/$team/dags/$dag" });
  return (
    <span className={styles.tags}>
      {tags.map((tag) => (
        <Link key={tag} to="/t/$team/dags" params={{ team }} search={{ tag }}>
          {tag}
        </Link>
      ))}
    </span>
  );
}

function Actions({ dag, detail }: { dag: string; detail: DagDetail | undefined }) {
  const { team } = useParams({ from: "/t/$team/dags/$dag" });
  const mayRun = useMay("run.trigger");
  const pause = usePause(dag);
  const asking = useMatch({ from: "/t/$team/dags/$dag/run", shouldThrow: false });
  if (!mayRun) return null;
  const paused = Boolean(detail?.paused_at);
  return (
    <>
      <Button disabled={!detail || pause.isPending} onClick={() => pause.mutate(!paused)}>
        {paused ? <Play size={14} aria-hidden /> : <Pause size={14} aria-hidden />}
        {paused ? "Resume" : "Pause"}
      </Button>
      {!asking && (
        <Link
          to="/t/$team/dags/$dag/run"
          params={{ team, dag }}
          search={(before) => selectionOf(before)}
          className={buttonClass({ look: "primary" })}
        >
          <Play size={14} aria-hidden />
          Run
        </Link>
      )}
    </>
  );
}
