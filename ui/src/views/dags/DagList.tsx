import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { dags } from "@/api/queries.ts";
import type { DagSummary } from "@/api/types.ts";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { FilterBar, FilterChoice, FilterText } from "@/parts/FilterBar.tsx";
import { NoDags } from "@/parts/NoDags.tsx";
import { Page } from "@/parts/Page.tsx";
import { usePicked } from "@/parts/picking.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { Table } from "@/parts/Table.tsx";
import { useMay } from "@/state/session.ts";
import { BulkPause } from "./BulkPause.tsx";
import { COLUMNS } from "./columns.tsx";
import { DagCounts } from "./DagCounts.tsx";

const NONE: readonly DagSummary[] = [];
const idOf = ({ dag_id }: DagSummary) => dag_id;

/** Every DAG of the team: is it well, when does it run next, and the switch. */
export function DagList() {
  const search = useSearch({ from: "/t/$team/dags/" });
  const navigate = useNavigate({ from: "/t/$team/dags/" });
  const set = useCallback(
    (change: Partial<typeof search>) =>
      navigate({ search: (before) => ({ ...before, ...change }), replace: true }),
    [navigate],
  );
  const setText = useCallback((q: string) => set({ q: q || undefined }), [set]);
  const { state, sort, ...rest } = search;
  const never = state === "never";
  const found = useInfiniteQuery({
    ...dags({
      ...rest,
      paused: search.paused && search.paused === "true",
      state: never ? undefined : state,
      ran: never ? false : undefined,
      sort,
    }),
    placeholderData: keepPreviousData,
  });
  const items = found.data?.items ?? NONE;
  const picked = usePicked(items, idOf, "DAG");
  const mayPause = useMay("dag.pause");
  const columns = useMemo(
    () => (mayPause ? [picked.column, ...COLUMNS] : COLUMNS),
    [mayPause, picked.column],
  );
  const tags = choices(
    items.flatMap((dag) => dag.tags),
    search.tag,
  );
  const owners = choices(
    items.flatMap((dag) => dag.owner || []),
    search.owner,
  );
  return (
    <Page title="DAGs">
      <FilterBar>
        <FilterText label="Name…" value={search.q ?? ""} onChange={setText} />
        {tags.length > 0 && (
          <FilterChoice
            label="Tag"
            value={search.tag}
            options={tags}
            onChange={(tag) => set({ tag })}
          />
        )}
        {owners.length > 0 && (
          <FilterChoice
            label="Owner"
            value={search.owner}
            options={owners}
            onChange={(owner) => set({ owner })}
          />
        )}
        {found.data?.totals && (
          <DagCounts totals={found.data.totals} state={state} paused={search.paused} set={set} />
        )}
      </FilterBar>
      {found.isPending ? (
        <SkeletonRows />
      ) : found.isError && !found.data ? (
        <ErrorState error={found.error} what="The DAGs" retry={() => found.refetch()} />
      ) : items.length === 0 ? (
        <None filtered={Object.keys(rest).length > 0 || state !== undefined} />
      ) : (
        <Table
          label="DAGs"
          columns={columns}
          items={items}
          id={idOf}
          hasMore={found.hasNextPage && !found.isFetchingNextPage}
          more={found.fetchNextPage}
          sort={sort ?? "name"}
          onSort={(next) => set({ sort: next === "name" ? undefined : (next as typeof sort) })}
        />
      )}
      <BulkPause
        picked={picked}
        total={found.hasNextPage ? (found.data?.totals?.total ?? 0) : items.length}
        all={async () => {
          let page = await found.fetchNextPage();
          while (page.hasNextPage) page = await page.fetchNextPage();
          picked.choose(page.data?.items ?? []);
        }}
      />
    </Page>
  );
}

/** In the order of the alphabet, with the one that is chosen. */
function choices(found: readonly string[], chosen: string | undefined) {
  const all = new Set(chosen ? [...found, chosen] : found);
  return [...all].sort().map((value) => ({ value, shown: value }));
}

function None({ filtered }: { filtered: boolean }) {
  if (filtered) {
    return (
      <EmptyState title="No DAGs match these filters">
        <p>Remove a filter to see more.</p>
      </EmptyState>
    );
  }
  return <NoDags />;
}
