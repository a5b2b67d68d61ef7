import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { runTotals } from "@/api/queries.ts";
import type { QueryOf } from "@/api/request.ts";
import { number } from "@/lib/count.ts";
import { type RunState, stateWord, tally } from "@/lib/states.ts";
import { Chip, Chips } from "@/parts/Chips.tsx";
import { Skeleton } from "@/parts/Skeleton.tsx";
import styles from "./Runs.module.css";

/** How many runs there are, by state; each count shows these only. */
export function RunCounts({
  filter,
  set,
}: {
  filter: QueryOf<"/runs">;
  set: (change: { only: RunState | undefined }) => void;
}) {
  const totals = useQuery({ ...runTotals(filter), placeholderData: keepPreviousData }).data;
  if (!totals) {
    return (
      <Chips label="State">
        <Skeleton width={300} height={26} />
      </Chips>
    );
  }
  if (totals.total === 0 && !filter.state) return null;
  return (
    <Chips label="State">
      <Chip
        word="All"
        count={totals.total}
        on={!filter.state}
        choose={() => set({ only: undefined })}
      />
      {tally(totals.by_state).map(([each, count]) => (
        <Chip
          key={each}
          state={each}
          word={stateWord(each)}
          count={count}
          on={each === filter.state}
          choose={() => set({ only: each === filter.state ? undefined : (each as RunState) })}
        />
      ))}
      {totals.truncated && <span className={styles.newest}>of the newest {number(20_000)}</span>}
    </Chips>
  );
}
