import { useQuery } from "@tanstack/react-query";
import { importErrors } from "@/api/queries.ts";
import { CopyText } from "@/parts/CopyText.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { Page, PageBody } from "@/parts/Page.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import styles from "./ImportErrors.module.css";

/** Files that could not be loaded, and why. What they held before goes on as it was. */
export function ImportErrors() {
  const found = useQuery(importErrors());
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
            <p>Errors in DAG files appear here within two seconds, with the line.</p>
          </EmptyState>
        ) : (
          <ul className={styles.errors}>
            {found.data.items.map((error) => (
              <li key={error.file} className={styles.error}>
                <div className={styles.head}>
                  <CopyText
                    text={error.line === null ? error.file : `${error.file}:${error.line}`}
                  />
                  <RelativeTime at={error.at} />
                </div>
                <pre className={styles.message}>{error.message}</pre>
              </li>
            ))}
          </ul>
        )}
      </PageBody>
    </Page>
  );
}
