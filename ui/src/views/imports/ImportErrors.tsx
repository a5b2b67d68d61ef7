import { useQuery } from "@tanstack/react-query";
import { importErrors } from "@/api/queries.ts";
import type { BrokenFile } from "@/api/types.ts";
import { languageOf, linesOf } from "@/lib/code/tokens.ts";
import { CopyText } from "@/parts/CopyText.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { DagLink } from "@/parts/links.tsx";
import { Page, PageBody } from "@/parts/Page.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { Since } from "@/parts/Time.tsx";
import { Tokens } from "../dag/code/CodeLines.tsx";
import styles from "./ImportErrors.module.css";

const LOOKED_AT_MS = 2_000; // somebody fixes a file and waits for it

/** Files that could not be loaded: why, on which line, and which DAGs keep an older version. */
export function ImportErrors() {
  const found = useQuery({ ...importErrors(), refetchInterval: LOOKED_AT_MS });
  return (
    <Page
      title="Broken files"
      note="If a file fails to load, its DAGs keep running with the last good version."
    >
      <PageBody>
        {found.isPending ? (
          <SkeletonRows count={4} />
        ) : found.isError && !found.data ? (
          <ErrorState error={found.error} what="The list" retry={() => found.refetch()} />
        ) : found.data.items.length === 0 ? (
          <EmptyState title="All files loaded successfully" command="headway check FOLDER">
            <p>Errors in DAG files appear here within seconds, with the line.</p>
          </EmptyState>
        ) : (
          <ul className={styles.errors}>
            {found.data.items.map((broken) => (
              <Broken key={broken.file} broken={broken} />
            ))}
          </ul>
        )}
      </PageBody>
    </Page>
  );
}

function Broken({ broken }: { broken: BrokenFile }) {
  const { file, line, message, since, at, code } = broken;
  return (
    <li className={styles.error}>
      <div className={styles.head}>
        <CopyText text={line === null ? file : `${file}:${line}`} />
        <span>
          broken <Since at={since} />
          {at !== since && (
            <>
              , with this error <Since at={at} />
            </>
          )}
        </span>
      </div>
      <pre className={styles.message}>{message}</pre>
      {code && <Code file={file} line={line} code={code} />}
      <p className={styles.dags}>
        <Dags broken={broken} />
      </p>
    </li>
  );
}

/** What the file no longer updates. */
function Dags({ broken: { dags = [] } }: { broken: BrokenFile }) {
  if (dags.length === 0) return "This file defined no DAG when it last loaded.";
  return (
    <>
      {dags.length === 1 ? "This DAG keeps its" : "These DAGs keep their"} last good version:{" "}
      {dags.map(({ dag_id, version }, index) => (
        <span key={dag_id}>
          {index > 0 && ", "}
          <DagLink dag={dag_id} /> (version {version})
        </span>
      ))}
    </>
  );
}

/** The lines around the error; those that follow each other stay in order, and the one that failed is marked. */
function Code({
  file,
  line,
  code,
}: {
  file: string;
  line: number | null;
  code: NonNullable<BrokenFile["code"]>;
}) {
  const lines = linesOf(code.text, languageOf(file));
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={styles.code} tabIndex={0} aria-label={`${file} around line ${line}`}>
      {lines.map((tokens, index) => {
        const number = code.first + index;
        return (
          <div key={number} className={styles.line} data-here={number === line}>
            <span className={styles.number}>{number}</span>
            <Tokens tokens={tokens} />
          </div>
        );
      })}
    </section>
  );
}
