import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import { runs } from "@/api/queries.ts";
import type { QueryOf } from "@/api/request.ts";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { Table } from "@/parts/Table.tsx";
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
  const shown = useMemo(() => columns(ofOneDag), [ofOneDag]);
  const found = useInfiniteQuery({ ...runs(filter), placeholderData: keepPreviousData });
  if (found.isPending) return <SkeletonRows />;
  if (found.isError && !found.data) {
    return <ErrorState error={found.error} what="The runs" retry={() => found.refetch()} />;
  }
  if (found.data.length === 0) return empty;
  return (
    <Table
      label="Runs"
      columns={shown}
      items={found.data}
      id={(run) => run.run_id}
      hasMore={found.hasNextPage && !found.isFetchingNextPage}
      more={found.fetchNextPage}
    />
  );
}
