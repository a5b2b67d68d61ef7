import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";
import { runs } from "@/api/queries.ts";
import type { QueryOf } from "@/api/request.ts";
import type { Run } from "@/api/types.ts";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { type Column, Table } from "@/parts/Table.tsx";
import { useMay } from "@/state/session.ts";
import styles from "./bulk/Bulk.module.css";
import { BulkBar } from "./bulk/BulkBar.tsx";
import { columns } from "./columns.tsx";

/** The runs that a filter leaves, newest first; `empty` says what is missing when there are none. */
export function RunTable({
  filter,
  ofOneDag = false,
  empty,
}: {
  filter: QueryOf<"/runs">;
  ofOneDag?: boolean;
  empty: ReactNode;
}) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const mayAct = useMay("run.clear");
  const shown = useMemo(() => {
    const rest = columns(ofOneDag);
    return mayAct ? [picking(chosen, setChosen), ...rest] : rest;
  }, [ofOneDag, mayAct, chosen]);
  const found = useInfiniteQuery({ ...runs(filter), placeholderData: keepPreviousData });
  if (found.isPending) return <SkeletonRows />;
  if (found.isError && !found.data) {
    return <ErrorState error={found.error} what="The runs" retry={() => found.refetch()} />;
  }
  if (found.data.length === 0) return empty;
  const runsShown = found.data;
  return (
    <>
      <BulkBar
        shown={runsShown}
        chosen={runsShown.filter(({ run_id }) => chosen.has(run_id))}
        choose={(runs) => setChosen(new Set(runs.map(({ run_id }) => run_id)))}
      />
      <Table
        label="Runs"
        columns={shown}
        items={runsShown}
        id={(run) => run.run_id}
        hasMore={found.hasNextPage && !found.isFetchingNextPage}
        more={found.fetchNextPage}
      />
    </>
  );
}

/** The column that selects runs, for what is done with many. */
function picking(
  chosen: ReadonlySet<string>,
  choose: (next: ReadonlySet<string>) => void,
): Column<Run> {
  return {
    key: "pick",
    head: <span className="sr-only">Select</span>,
    width: "48px",
    cell: ({ run_id }) => (
      <input
        type="checkbox"
        className={styles.pick}
        aria-label={`Select run ${run_id}`}
        checked={chosen.has(run_id)}
        onChange={({ target }) => {
          const next = new Set(chosen);
          if (target.checked) next.add(run_id);
          else next.delete(run_id);
          choose(next);
        }}
      />
    ),
  };
}
