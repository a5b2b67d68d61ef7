import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { instances as instancesQuery } from "@/api/instances.ts";
import type { DistinctError, Run } from "@/api/types.ts";
import { counted, number } from "@/lib/count.ts";
import type { Selection } from "@/lib/selection.ts";
import { Button } from "@/parts/Button.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { FilterText } from "@/parts/FilterBar.tsx";
import { useMay } from "@/state/session.ts";
import { ClearDialog } from "./actions/ClearDialog.tsx";
import { InstanceRows } from "./drawer/InstanceRows.tsx";
import styles from "./Errors.module.css";

const ROWS_MAX = 8;
const SEARCH_FROM = 9;

/** The task instances that have one error: searched, opened, and run again as a set. */
export function ErrorInstances({
  error: { count, fingerprint },
  run,
  select,
}: {
  error: DistinctError;
  run: Run;
  select: (next: Selection) => void;
}) {
  const [open, setOpen] = useState(false);
  const [query, setQuery] = useState("");
  const search = useCallback((typed: string) => setQuery(typed.trim()), []);
  const [retrying, setRetrying] = useState(false);
  const mayClear = useMay("run.clear");
  const found = useInfiniteQuery({
    ...instancesQuery(run.run_id, { error: fingerprint, q: query }),
    enabled: open,
    placeholderData: keepPreviousData,
  });
  const items = found.data ?? [];
  const total = query ? items.length : count;
  return (
    <details className={styles.same} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>×{number(count)}: the task instances with this error</summary>
      {open && (
        <>
          <div className={styles.tools}>
            {count >= SEARCH_FROM && (
              <FilterText label="Name or index…" value={query} onChange={search} />
            )}
            {mayClear && (
              <Button small onClick={() => setRetrying(true)}>
                Retry these {number(count)}
              </Button>
            )}
          </div>
          {found.isError && !found.data ? (
            <ErrorState error={found.error} what="The instances" retry={found.refetch} />
          ) : found.data?.length === 0 ? (
            <p>No instance matches “{query}”.</p>
          ) : (
            <div className={styles.instances} style={{ height: Math.min(total, ROWS_MAX) * 32 }}>
              <InstanceRows
                items={items}
                total={total}
                more={found.hasNextPage && !found.isFetching ? found.fetchNextPage : undefined}
                choose={({ task_id, map_index }) =>
                  select({ task: task_id, map: map_index < 0 ? undefined : map_index })
                }
                ofTasks
              />
            </div>
          )}
        </>
      )}
      {retrying && (
        <ClearDialog
          run={run.run_id}
          title={`Retry ${counted(count, "task instance")}`}
          wish={{
            tasks: [],
            failed_only: true,
            downstream: true,
            upstream: false,
            map_indexes: [],
            error: fingerprint,
          }}
          close={() => setRetrying(false)}
        />
      )}
    </details>
  );
}
