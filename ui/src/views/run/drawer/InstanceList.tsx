import { useInfiniteQuery } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import { instances as instancesQuery } from "@/api/instances.ts";
import type { RunTask, TaskInstance } from "@/api/types.ts";
import { number } from "@/lib/count.ts";
import { INSTANCE_STATES, stateWord, tally } from "@/lib/states.ts";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { StateIcon } from "@/parts/State.tsx";
import { Elapsed } from "@/parts/Time.tsx";
import { Words } from "@/parts/Words.tsx";
import styles from "./InstanceList.module.css";

const ROW_PX = 32;

/** The instances of a mapped task, those of one state or all. */
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
  const counts = tally(task.counts);
  const state = INSTANCE_STATES.find((each) => each === chosen);
  const found = useInfiniteQuery(instancesQuery(run, task.task_id, state));
  const items = found.data ?? [];
  const total = counts.reduce(
    (sum, [each, count]) => sum + (!state || each === state ? count : 0),
    0,
  );
  const all = counts.reduce((sum, [, count]) => sum + count, 0);
  return (
    <div className={styles.list}>
      <div className={styles.filter} role="group" aria-label="State">
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
      </div>
      {found.isError ? (
        <ErrorState error={found.error} what="The instances" retry={found.refetch} />
      ) : (
        <Rows
          items={items}
          total={total}
          more={found.hasNextPage && !found.isFetching ? found.fetchNextPage : undefined}
          choose={choose}
        />
      )}
    </div>
  );
}

function Chip({
  state,
  word,
  count,
  on,
  choose,
}: {
  state?: string;
  word: string;
  count: number;
  on: boolean;
  choose: () => void;
}) {
  return (
    <button type="button" className={styles.chip} aria-pressed={on} onClick={choose}>
      {state && <StateIcon state={state} size={14} />}
      {word} <span className="tabular">{number(count)}</span>
    </button>
  );
}

/** Only the rows in sight are in the document; the next page comes when its place does. */
function Rows({
  items,
  total,
  more,
  choose,
}: {
  items: readonly TaskInstance[];
  total: number;
  more: (() => unknown) | undefined;
  choose: (map: number) => void;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: Math.max(total, items.length),
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 10,
  });
  const shown = rows.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= items.length - 50) more?.();
  }, [last, items.length, more]);
  return (
    <div ref={scroller} className={styles.rows}>
      <ul style={{ height: rows.getTotalSize() }}>
        {shown.map(({ key, index, start }) => (
          <li key={key} style={{ transform: `translateY(${start}px)` }}>
            {items[index] && <Row item={items[index]} choose={choose} />}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Row({ item, choose }: { item: TaskInstance; choose: (map: number) => void }) {
  const reason = item.blocked_reason ?? item.reason ?? "";
  return (
    <button type="button" className={styles.row} onClick={() => choose(item.map_index)}>
      <StateIcon state={item.state} size={14} label />
      <code>[{item.map_index}]</code>
      <span className={styles.reason} title={reason}>
        <Words text={reason} />
      </span>
      <Elapsed from={item.started_at} to={item.ended_at} />
    </button>
  );
}
