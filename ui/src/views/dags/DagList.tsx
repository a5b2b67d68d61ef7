import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { dags } from "@/api/queries.ts";
import { RUN_STATES } from "@/lib/states.ts";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { FilterBar, FilterChoice, FilterText } from "@/parts/FilterBar.tsx";
import { Page } from "@/parts/Page.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { StateBadge } from "@/parts/State.tsx";
import { Table } from "@/parts/Table.tsx";
import { COLUMNS } from "./columns.tsx";

const STATES = RUN_STATES.map((state) => ({ value: state, shown: <StateBadge state={state} /> }));
const PAUSED = [
  { value: "true", shown: "paused" },
  { value: "false", shown: "not paused" },
] as const;

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
  const paused = search.paused && search.paused === "true";
  const found = useInfiniteQuery({
    ...dags({ ...search, paused }),
    placeholderData: keepPreviousData,
  });
  const items = found.data ?? [];
  const tags = [
    ...new Set([...items.flatMap((dag) => dag.tags), ...(search.tag ? [search.tag] : [])]),
  ];
  const owners = [...new Set(items.flatMap((dag) => dag.owner || []))];
  return (
    <Page title="DAGs">
      <FilterBar>
        <FilterText label="Name…" value={search.q ?? ""} onChange={setText} />
        <FilterChoice
          label="State"
          value={search.state}
          options={STATES}
          onChange={(state) => set({ state })}
        />
        {tags.length > 0 && (
          <FilterChoice
            label="Tag"
            value={search.tag}
            options={tags.sort().map((value) => ({ value, shown: value }))}
            onChange={(tag) => set({ tag })}
          />
        )}
        {(owners.length > 0 || search.owner) && (
          <FilterChoice
            label="Owner"
            value={search.owner}
            options={owners.sort().map((value) => ({ value, shown: value }))}
            onChange={(owner) => set({ owner })}
          />
        )}
        <FilterChoice
          label="Schedule"
          value={search.paused}
          options={PAUSED}
          onChange={(chosen) => set({ paused: chosen })}
        />
      </FilterBar>
      {found.isPending ? (
        <SkeletonRows />
      ) : found.isError && !found.data ? (
        <ErrorState error={found.error} what="The DAGs" retry={() => found.refetch()} />
      ) : items.length === 0 ? (
        <None filtered={Object.keys(search).length > 0} />
      ) : (
        <Table
          label="DAGs"
          columns={COLUMNS}
          items={items}
          id={(dag) => dag.dag_id}
          hasMore={found.hasNextPage && !found.isFetchingNextPage}
          more={found.fetchNextPage}
        />
      )}
    </Page>
  );
}

function None({ filtered }: { filtered: boolean }) {
  if (filtered) {
    return (
      <EmptyState title="No DAGs match these filters">
        <p>Remove a filter to see more.</p>
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No DAGs yet" command="headway up --dags FOLDER">
      <p>
        A DAG is a Python file in the folder that Headway watches. Save one there and it appears
        here within two seconds.
      </p>
    </EmptyState>
  );
}
