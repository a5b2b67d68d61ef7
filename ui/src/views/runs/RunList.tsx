import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { narrows, type RunFilter } from "@/lib/runFilter.ts";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { FilterBar, FilterChip, FilterText } from "@/parts/FilterBar.tsx";
import { Page } from "@/parts/Page.tsx";
import { RunCounts } from "./RunCounts.tsx";
import { NoneLeft, RunFilters, useAsked } from "./RunFilters.tsx";
import { RunTable } from "./RunTable.tsx";

/** The runs of all DAGs. */
export function RunList() {
  const search = useSearch({ from: "/t/$team/runs/" });
  const navigate = useNavigate({ from: "/t/$team/runs/" });
  const set = useCallback(
    (change: Partial<typeof search>) =>
      navigate({ search: (before) => ({ ...before, ...change }), replace: true }),
    [navigate],
  );
  const setText = useCallback((q: string) => set({ q: q || undefined }), [set]);
  const asked = useAsked(search);
  const { dag, backfill, q } = search;
  const filter = { ...asked, dag_id: dag, backfill_id: backfill, q };
  const filtered = narrows(search) || dag || backfill || q;
  return (
    <Page title="Runs">
      <FilterBar>
        <FilterText label="Run or DAG…" value={q ?? ""} onChange={setText} />
        <RunFilters filter={search} set={set} />
        <RunCounts filter={filter} set={set} />
        {dag && <FilterChip label="DAG" value={dag} away={() => set({ dag: undefined })} />}
        {backfill && (
          <FilterChip label="Backfill" value={backfill} away={() => set({ backfill: undefined })} />
        )}
      </FilterBar>
      <RunTable
        filter={filter}
        empty={filtered ? <NoneLeft /> : <NoneYet />}
        onSort={(sort) => set({ sort: sort as RunFilter["sort"] })}
      />
    </Page>
  );
}

function NoneYet() {
  return (
    <EmptyState title="No runs yet" command="headway run DAG">
      <p>A run is one execution of a DAG, started by its schedule, a person or a backfill.</p>
    </EmptyState>
  );
}
