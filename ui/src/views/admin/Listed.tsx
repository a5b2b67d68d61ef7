import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { type Column, Table } from "@/parts/Table.tsx";

/** A list of the administration: loading, failed, empty, or its table. */
export function Listed<T>({
  found,
  what,
  columns,
  id,
  empty,
}: {
  found: UseInfiniteQueryResult<T[], Error>;
  what: string;
  columns: readonly Column<T>[];
  id: (item: T) => string;
  empty: ReactNode;
}) {
  if (found.isPending) return <SkeletonRows count={6} />;
  if (!found.data) {
    return <ErrorState error={found.error} what={what} retry={() => found.refetch()} />;
  }
  if (found.data.length === 0) return empty;
  return (
    <Table
      label={what}
      columns={columns}
      items={found.data}
      id={id}
      hasMore={found.hasNextPage && !found.isFetchingNextPage}
      more={found.fetchNextPage}
    />
  );
}
