import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { instances as instancesQuery } from "@/api/instances.ts";
import type { RunTask } from "@/api/types.ts";
import { INSTANCE_STATES, stateWord, tally } from "@/lib/states.ts";
import { Chip, Chips } from "@/parts/Chips.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { FilterText } from "@/parts/FilterBar.tsx";
import styles from "./InstanceList.module.css";
import { InstanceRows } from "./InstanceRows.tsx";

const SEARCH_FROM = 9; // fewer are seen at a glance

/** The instances of a mapped task, those of one state or all, found by index or error. */
export function InstanceList({
  run,
  task,
  chosen = task.counts.failed ? "failed" : "all",
  choose,
  list,
}: {
  run: string;
  task: RunTask;
  /** The state that the URL names, or `all`. */
  chosen: string | undefined;
  choose: (map: number) => void;
  list: (state: string) => void;
}) {
  const [query, setQuery] = useState("");
  const search = useCallback((typed: string) => setQuery(typed.trim()), []);
  const counts = tally(task.counts);
  const state = INSTANCE_STATES.find((each) => each === chosen);
  const found = useInfiniteQuery({
    ...instancesQuery(run, { task_id: task.task_id, state, q: query }),
    placeholderData: keepPreviousData,
  });
  const items = found.data ?? [];
  const total = counts.reduce(
    (sum, [each, count]) => sum + (!state || each === state ? count : 0),
    0,
  );
  const all = counts.reduce((sum, [, count]) => sum + count, 0);
  return (
    <div className={styles.list}>
      <div className={styles.filter}>
        <Chips label="State">
          <Chip word="All" count={all} on={state === undefined} choose={() => list("all")} />
          {counts.map(([each, count]) => (
            <Chip
              key={each}
              state={each}
              word={stateWord(each)}
              count={count}
              on={each === state}
              choose={() => list(each)}
            />
          ))}
        </Chips>
        {all >= SEARCH_FROM && (
          <FilterText label="Name, index or error…" value={query} onChange={search} />
        )}
      </div>
      {found.isError ? (
        <ErrorState error={found.error} what="The instances" retry={found.refetch} />
      ) : found.data?.length === 0 ? (
        <p className={styles.none}>No instances match.</p>
      ) : (
        <InstanceRows
          items={items}
          total={query ? items.length : total}
          more={found.hasNextPage && !found.isFetching ? found.fetchNextPage : undefined}
          choose={({ map_index }) => choose(map_index)}
        />
      )}
    </div>
  );
}
