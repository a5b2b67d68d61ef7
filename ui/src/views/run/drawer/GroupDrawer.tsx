import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { instances as instancesQuery } from "@/api/instances.ts";
import { runTasks } from "@/api/runTasks.ts";
import type { RunTask } from "@/api/types.ts";
import type { Selection } from "@/lib/selection.ts";
import { INSTANCE_STATES, stateWord, tally } from "@/lib/states.ts";
import { Chip, Chips } from "@/parts/Chips.tsx";
import { Drawer } from "@/parts/Drawer.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { FilterText } from "@/parts/FilterBar.tsx";
import styles from "./InstanceList.module.css";
import { InstanceRows } from "./InstanceRows.tsx";

/** The items of a mapped group, or the iterations of a loop, one after another: each with its instance of every task in the group. */
export function GroupDrawer({
  run,
  group,
  selection,
  select,
}: {
  run: string;
  group: string;
  selection: Selection;
  select: (next: Selection) => void;
}) {
  const [query, setQuery] = useState("");
  const search = useCallback((typed: string) => setQuery(typed.trim()), []);
  const tasks = useQuery(runTasks(run)).data ?? [];
  const inside = tasks.filter((task) => task.mapped_group === group);
  const bound = inside.find((task) => task.max_iterations)?.max_iterations;
  const many = bound ? "iterations" : "items";
  const counts = tallied(inside);
  const all = counts.reduce((sum, [, count]) => sum + count, 0);
  const state = INSTANCE_STATES.find((each) => each === selection.state);
  const found = useInfiniteQuery({
    ...instancesQuery(run, { mapped_group: group, state, q: query }),
    placeholderData: keepPreviousData,
  });
  const items = found.data ?? [];
  const total = counts.reduce(
    (sum, [each, count]) => sum + (!state || each === state ? count : 0),
    0,
  );
  return (
    <Drawer
      title={bound ? `Iterations of ${group} (at most ${bound})` : `Items of ${group}`}
      close={() => select({ details: "closed" })}
    >
      <div className={styles.list}>
        <div className={styles.filter}>
          <Chips label="State">
            <Chip
              word="All"
              count={all}
              on={state === undefined}
              choose={() => select({ group })}
            />
            {counts.map(([each, count]) => (
              <Chip
                key={each}
                state={each}
                word={stateWord(each)}
                count={count}
                on={each === state}
                choose={() => select({ group, state: each })}
              />
            ))}
          </Chips>
          <FilterText label="Task, index, name or error…" value={query} onChange={search} />
        </div>
        {found.isError ? (
          <ErrorState error={found.error} what={`The ${many}`} retry={found.refetch} />
        ) : found.data?.length === 0 ? (
          <p className={styles.none}>{all === 0 ? `No ${many} yet.` : `No ${many} match.`}</p>
        ) : (
          <InstanceRows
            items={items}
            total={query ? items.length : total}
            more={found.hasNextPage && !found.isFetching ? found.fetchNextPage : undefined}
            choose={({ task_id, map_index }) => select({ task: task_id, map: map_index })}
            ofTasks
          />
        )}
      </div>
    </Drawer>
  );
}

/** The instances of all of them by state, the most telling first. */
function tallied(tasks: readonly RunTask[]) {
  const counts: Record<string, number> = {};
  for (const task of tasks)
    for (const [state, count] of Object.entries(task.counts))
      counts[state] = (counts[state] ?? 0) + count;
  return tally(counts);
}
