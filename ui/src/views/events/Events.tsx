import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { events } from "@/api/queries.ts";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { FilterBar, FilterChip, FilterChoice, FilterText } from "@/parts/FilterBar.tsx";
import { Page } from "@/parts/Page.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { Table } from "@/parts/Table.tsx";
import { COLUMNS } from "./columns.tsx";
import { meant } from "./describe.ts";

const SUBJECTS = [
  { value: "run", shown: "runs" },
  { value: "task_instance", shown: "task instances" },
  { value: "dag", shown: "DAGs" },
  { value: "pool", shown: "pools" },
] as const;

/** Everything that happened, newest first: who or what did it, and why. */
export function Events() {
  const search = useSearch({ from: "/t/$team/events" });
  const navigate = useNavigate({ from: "/t/$team/events" });
  const set = useCallback(
    (change: Partial<typeof search>) =>
      navigate({ search: (before) => ({ ...before, ...change }), replace: true }),
    [navigate],
  );
  const setDag = useCallback((dag: string) => set({ dag: dag || undefined }), [set]);
  const setActor = useCallback((actor: string) => set({ actor: actor || undefined }), [set]);
  const { subject, actor, dag, run, task } = search;
  const filter = { subject, actor: actor && meant(actor), dag_id: dag, run_id: run, task_id: task };
  const filtered = Object.values(filter).some(Boolean);
  const found = useInfiniteQuery({ ...events(filter), placeholderData: keepPreviousData });
  return (
    <Page title="Events">
      <FilterBar>
        <FilterText label="DAG…" value={dag ?? ""} onChange={setDag} />
        <FilterText label="Who…" value={actor ?? ""} onChange={setActor} />
        <FilterChoice
          label="Subject"
          value={subject}
          options={SUBJECTS}
          onChange={(chosen) => set({ subject: chosen })}
        />
        {run && <FilterChip label="Run" value={run} away={() => set({ run: undefined })} />}
        {task && <FilterChip label="Task" value={task} away={() => set({ task: undefined })} />}
      </FilterBar>
      {found.isPending ? (
        <SkeletonRows />
      ) : found.isError && !found.data ? (
        <ErrorState error={found.error} what="The events" retry={() => found.refetch()} />
      ) : found.data.length === 0 ? (
        <EmptyState title={filtered ? "No events match these filters" : "No events yet"}>
          <p>Every change to a run, task, DAG or pool appears here, with who or what made it.</p>
        </EmptyState>
      ) : (
        <Table
          label="Events"
          columns={COLUMNS}
          items={found.data}
          id={(event) => String(event.seq)}
          hasMore={found.hasNextPage && !found.isFetchingNextPage}
          more={found.fetchNextPage}
        />
      )}
    </Page>
  );
}
