import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { events } from "@/api/queries.ts";
import { asked } from "@/lib/span.ts";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { FilterBar, FilterChip, FilterChoice, FilterText } from "@/parts/FilterBar.tsx";
import { Page } from "@/parts/Page.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { SpanChoice } from "@/parts/SpanChoice.tsx";
import { Table } from "@/parts/Table.tsx";
import { COLUMNS } from "./columns.tsx";
import { meant, NAMES } from "./describe.ts";

const SUBJECTS = [
  { value: "run", shown: "runs" },
  { value: "task_instance", shown: "task instances" },
  { value: "dag", shown: "DAGs" },
  { value: "pool", shown: "pools" },
  { value: "backfill", shown: "backfills" },
  { value: "agent_session", shown: "agents" },
] as const;
const SHOWN = [{ value: "true", shown: "every step" }] as const;

/**
 * What happened, newest first: who or what did it, and why. Of all runs only what tells something, so that no success of
 * a task hides a failure; of one run every step.
 */
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
  const { subject, actor, dag, run, task, name, within, from, to, all } = search;
  // From when it was chosen: the list does not begin anew as time passes.
  const span = useMemo(() => asked({ within, from, to }, Date.now()), [within, from, to]);
  const filter = {
    subject,
    actor: actor && meant(actor),
    dag_id: dag,
    run_id: run,
    task_id: task,
    name,
    since: span.from,
    until: span.to,
  };
  const filtered = Object.values(filter).some(Boolean);
  const notable = !(all || run || task || name);
  const found = useInfiniteQuery({
    ...events({ ...filter, notable }),
    placeholderData: keepPreviousData,
  });
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
        <FilterChoice
          label="What"
          value={name}
          options={NAMES}
          onChange={(chosen) => set({ name: chosen })}
        />
        <SpanChoice span={search} onChange={set} />
        {!run && !task && !name && (
          <FilterChoice
            label="Show"
            value={all}
            options={SHOWN}
            onChange={(chosen) => set({ all: chosen })}
          />
        )}
        {run && <FilterChip label="Run" value={run} away={() => set({ run: undefined })} />}
        {task && <FilterChip label="Task" value={task} away={() => set({ task: undefined })} />}
      </FilterBar>
      {found.isPending ? (
        <SkeletonRows />
      ) : found.isError && !found.data ? (
        <ErrorState error={found.error} what="The events" retry={() => found.refetch()} />
      ) : found.data.length === 0 ? (
        <None filtered={filtered} />
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

function None({ filtered }: { filtered: boolean }) {
  if (filtered) {
    return (
      <EmptyState title="No events match these filters">
        <p>Remove a filter to see more.</p>
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No events yet" command="headway run DAG">
      <p>
        Failures, retries, ends of runs and what people did appear here, with who or what caused
        them. To see each step of each task, too, choose “every step” under Show.
      </p>
    </EmptyState>
  );
}
