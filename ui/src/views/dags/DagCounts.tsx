import type { DagTotals } from "@/api/types.ts";
import { type RunState, stateWord, tally } from "@/lib/states.ts";
import { Chip, Chips } from "@/parts/Chips.tsx";

type State = RunState | "never";
interface Choice {
  state?: State;
  paused?: "true" | "false";
}

/** How many DAGs there are, by the state of their latest run; each count shows these only. */
export function DagCounts({
  totals,
  state,
  paused,
  set,
}: {
  totals: DagTotals;
  state: State | undefined;
  paused: "true" | "false" | undefined;
  set: (change: Choice) => void;
}) {
  const turn = (each: State) => set({ state: each === state ? undefined : each });
  const all = state === undefined && paused === undefined;
  return (
    <Chips label="Latest run">
      <Chip
        word="All"
        count={totals.total}
        on={all}
        choose={() => set({ state: undefined, paused: undefined })}
      />
      {tally(totals.by_state).map(([each, count]) => (
        <Chip
          key={each}
          state={each}
          word={stateWord(each)}
          count={count}
          on={each === state}
          choose={() => turn(each as State)}
        />
      ))}
      {(totals.never_ran > 0 || state === "never") && (
        <Chip
          word="never ran"
          count={totals.never_ran}
          on={state === "never"}
          choose={() => turn("never")}
        />
      )}
      {(totals.paused > 0 || paused) && (
        <Chip
          word="paused"
          count={totals.paused}
          on={paused === "true"}
          choose={() => set({ paused: paused === "true" ? undefined : "true" })}
        />
      )}
    </Chips>
  );
}
