import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import type { TaskInstance } from "@/api/types.ts";
import { instanceName, nameInTask } from "@/lib/instances.ts";
import { StateIcon } from "@/parts/State.tsx";
import { Elapsed } from "@/parts/Time.tsx";
import { Words } from "@/parts/Words.tsx";
import styles from "./InstanceList.module.css";

const ROW_PX = 32;

/** Only the rows in sight are in the document; the next page comes when its place does. */
export function InstanceRows({
  items,
  total,
  more,
  choose,
  ofTasks = false,
}: {
  items: readonly TaskInstance[];
  total: number;
  more: (() => unknown) | undefined;
  choose: (item: TaskInstance) => void;
  /** They are of several tasks: each is shown with the name of its task, and without a reason. */
  ofTasks?: boolean;
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
            {items[index] && <Row item={items[index]} choose={choose} ofTasks={ofTasks} />}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Row({
  item,
  choose,
  ofTasks,
}: {
  item: TaskInstance;
  choose: (item: TaskInstance) => void;
  ofTasks: boolean;
}) {
  const reason = item.blocked_reason ?? item.reason ?? "";
  return (
    <button type="button" className={styles.row} onClick={() => choose(item)}>
      <StateIcon state={item.state} size={14} label />
      <code className={styles.name} title={instanceName(item)}>
        {ofTasks ? instanceName(item) : nameInTask(item)}
      </code>
      <span className={styles.reason} title={ofTasks ? undefined : reason}>
        {!ofTasks && <Words text={reason} />}
      </span>
      <Elapsed from={item.started_at} to={item.ended_at} />
    </button>
  );
}
