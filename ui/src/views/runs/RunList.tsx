import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { TRIGGERS } from "@/api/words.ts";
import { RUN_STATES } from "@/lib/states.ts";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { FilterBar, FilterChip, FilterChoice, FilterText } from "@/parts/FilterBar.tsx";
import { Page } from "@/parts/Page.tsx";
import { StateBadge } from "@/parts/State.tsx";
import { RunTable } from "./RunTable.tsx";

const STATES = RUN_STATES.map((state) => ({ value: state, shown: <StateBadge state={state} /> }));
const CAUSES = TRIGGERS.map((value) => ({ value, shown: value }));

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
  const { dag, state, trigger, backfill, q } = search;
  const filtered = dag || state || trigger || backfill || q;
  return (
    <Page title="Runs">
      <FilterBar>
        <FilterText label="Run or DAG…" value={q ?? ""} onChange={setText} />
        <FilterChoice
          label="State"
          value={state}
          options={STATES}
          onChange={(chosen) => set({ state: chosen })}
        />
        <FilterChoice
          label="Trigger"
          value={trigger}
          options={CAUSES}
          onChange={(chosen) => set({ trigger: chosen })}
        />
        {dag && <FilterChip label="DAG" value={dag} away={() => set({ dag: undefined })} />}
        {backfill && (
          <FilterChip label="Backfill" value={backfill} away={() => set({ backfill: undefined })} />
        )}
      </FilterBar>
      <RunTable
        filter={{ dag_id: dag, state, trigger, backfill_id: backfill, q }}
        empty={filtered ? <NoneLeft /> : <NoneYet />}
      />
    </Page>
  );
}

function NoneLeft() {
  return (
    <EmptyState title="No runs match these filters">
      <p>Remove a filter to see more.</p>
    </EmptyState>
  );
}

function NoneYet() {
  return (
    <EmptyState title="No runs yet" command="headway run DAG">
      <p>A run is one execution of a DAG, started by its schedule, a person or a backfill.</p>
    </EmptyState>
  );
}
