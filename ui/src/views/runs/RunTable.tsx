import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { runs } from "@/api/queries.ts";
import type { QueryOf } from "@/api/request.ts";
import type { Run } from "@/api/types.ts";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { usePicked } from "@/parts/picking.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { Table } from "@/parts/Table.tsx";
import { useMay } from "@/state/session.ts";
import { BulkBar } from "./bulk/BulkBar.tsx";
import { columns } from "./columns.tsx";

const NONE: readonly Run[] = [];
const idOf = ({ run_id }: Run) => run_id;

/** The runs that a filter leaves, in its order; `empty` says what is missing when there are none. */
export function RunTable({
  filter,
  ofOneDag = false,
  empty,
  onSort,
}: {
  filter: QueryOf<"/runs">;
  ofOneDag?: boolean;
  empty: ReactNode;
  onSort: (sort: string) => void;
}) {
  const found = useInfiniteQuery({ ...runs(filter), placeholderData: keepPreviousData });
  const items = found.data ?? NONE;
  const picked = usePicked(items, idOf, "run");
  const mayAct = useMay("run.clear");
  const shown = useMemo(() => {
    const rest = columns(ofOneDag);
    return mayAct ? [picked.column, ...rest] : rest;
  }, [ofOneDag, mayAct, picked.column]);
  if (found.isPending) return <SkeletonRows />;
  if (found.isError && !found.data) {
    return <ErrorState error={found.error} what="The runs" retry={() => found.refetch()} />;
  }
  if (items.length === 0) return empty;
  return (
    <>
      <Table
        label="Runs"
        columns={shown}
        items={items}
        id={idOf}
        hasMore={found.hasNextPage && !found.isFetchingNextPage}
        more={found.fetchNextPage}
        sort={filter.sort ?? "newest"}
        onSort={onSort}
      />
      <BulkBar picked={picked} />
    </>
  );
}
