import { useMemo } from "react";
import type { QueryOf } from "@/api/request.ts";
import { TRIGGERS } from "@/api/words.ts";
import type { RunFilter } from "@/lib/runFilter.ts";
import { asked } from "@/lib/span.ts";
import { RUN_STATES } from "@/lib/states.ts";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { FilterChoice } from "@/parts/FilterBar.tsx";
import { SpanChoice } from "@/parts/SpanChoice.tsx";
import { StateBadge } from "@/parts/State.tsx";

const STATES = RUN_STATES.map((state) => ({ value: state, shown: <StateBadge state={state} /> }));
const CAUSES = TRIGGERS.map((value) => ({ value, shown: value }));

/** What every list of runs can be narrowed by: state, trigger, time. */
export function RunFilters({
  filter,
  set,
}: {
  filter: RunFilter;
  set: (change: Partial<RunFilter>) => void;
}) {
  return (
    <>
      <FilterChoice
        label="State"
        value={filter.only}
        options={STATES}
        onChange={(only) => set({ only })}
      />
      <FilterChoice
        label="Trigger"
        value={filter.trigger}
        options={CAUSES}
        onChange={(trigger) => set({ trigger })}
      />
      <SpanChoice span={filter} onChange={set} />
    </>
  );
}

/** The same as the API is asked for it; what is up to now begins when the filter is chosen. */
export function useAsked({ only, trigger, sort, within, from, to }: RunFilter): QueryOf<"/runs"> {
  const span = useMemo(() => asked({ within, from, to }, Date.now()), [within, from, to]);
  return { state: only, trigger, sort, ...span };
}

export function NoneLeft() {
  return (
    <EmptyState title="No runs match these filters">
      <p>Remove a filter to see more.</p>
    </EmptyState>
  );
}
