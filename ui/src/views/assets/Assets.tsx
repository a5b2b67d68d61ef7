import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCallback } from "react";
import { assets } from "@/api/queries.ts";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { FilterBar, FilterText } from "@/parts/FilterBar.tsx";
import { Page } from "@/parts/Page.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { Table } from "@/parts/Table.tsx";
import { COLUMNS } from "./columns.tsx";

const route = getRouteApi("/t/$team/assets/");

/** Data that tasks update and DAGs wait for: when it was last updated, by whom, and who waits for it. */
export function Assets() {
  const { q, sort } = route.useSearch();
  const navigate = route.useNavigate();
  const setText = useCallback(
    (text: string) =>
      navigate({ search: (before) => ({ ...before, q: text || undefined }), replace: true }),
    [navigate],
  );
  const found = useInfiniteQuery({ ...assets({ q, sort }), placeholderData: keepPreviousData });
  return (
    <Page title="Assets" note="Data that tasks update and DAGs wait for.">
      <FilterBar>
        <FilterText label="Name or URI…" value={q ?? ""} onChange={setText} />
      </FilterBar>
      {found.isPending ? (
        <SkeletonRows />
      ) : !found.data ? (
        <ErrorState error={found.error} what="The assets" retry={() => found.refetch()} />
      ) : found.data.length === 0 ? (
        <None filtered={q !== undefined} />
      ) : (
        <Table
          label="Assets"
          columns={COLUMNS}
          items={found.data}
          id={({ name }) => name}
          hasMore={found.hasNextPage && !found.isFetchingNextPage}
          more={found.fetchNextPage}
          sort={sort ?? "name"}
          onSort={(next) =>
            navigate({
              search: (before) => ({
                ...before,
                sort: next === "name" ? undefined : (next as typeof sort),
              }),
              replace: true,
            })
          }
        />
      )}
    </Page>
  );
}

function None({ filtered }: { filtered: boolean }) {
  if (filtered) {
    return (
      <EmptyState title="No assets match">
        <p>Change the text to see more.</p>
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No assets yet" command="headway asset emit NAME">
      <p>
        Name an asset in a DAG file: <code>@task(outlets=[Asset("orders")])</code> updates it, and{" "}
        <code>@dag(schedule=Asset("orders"))</code> waits for it. Systems outside of Headway report
        its events with:
      </p>
    </EmptyState>
  );
}
