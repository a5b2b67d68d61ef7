import { getRouteApi } from "@tanstack/react-router";
import { useCallback } from "react";
import { narrows, type RunFilter } from "@/lib/runFilter.ts";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { FilterBar } from "@/parts/FilterBar.tsx";
import { RunCounts } from "../runs/RunCounts.tsx";
import { NoneLeft, RunFilters, useAsked } from "../runs/RunFilters.tsx";
import { RunTable } from "../runs/RunTable.tsx";

const route = getRouteApi("/t/$team/dags/$dag/runs");

export function DagRuns() {
  const { dag } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const set = useCallback(
    (change: RunFilter) =>
      navigate({ search: (before) => ({ ...before, ...change }), replace: true }),
    [navigate],
  );
  const filter = { ...useAsked(search), dag_id: dag };
  return (
    <>
      <FilterBar>
        <RunFilters filter={search} set={set} />
        <RunCounts filter={filter} set={set} />
      </FilterBar>
      <RunTable
        filter={filter}
        ofOneDag
        empty={
          narrows(search) ? (
            <NoneLeft />
          ) : (
            <EmptyState title="No runs yet" command={`headway run ${dag}`}>
              <p>Runs of this DAG will appear here, newest first.</p>
            </EmptyState>
          )
        }
        onSort={(sort) => set({ sort: sort as RunFilter["sort"] })}
      />
    </>
  );
}
