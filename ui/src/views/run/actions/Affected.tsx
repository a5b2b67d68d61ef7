import type { InstanceKey } from "@/api/types.ts";
import { grouped, sentence } from "@/lib/clear.ts";
import { number } from "@/lib/count.ts";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import styles from "./Actions.module.css";

/** Exactly what something will happen to, as the server worked it out. */
export function Affected({
  keys,
  happens,
  none,
}: {
  keys: readonly InstanceKey[] | undefined;
  /** Continues "3 task instances will …". */
  happens: string;
  none: string;
}) {
  if (!keys) return <SkeletonRows count={3} />;
  return (
    <>
      <p className={styles.sentence} role="status">
        {sentence(keys, happens, none)}
      </p>
      <ul className={styles.affected} aria-label="Affected task instances">
        {grouped(keys).map(({ task_id, count, indexes }) => (
          <li key={task_id}>
            <code>{task_id}</code>
            {indexes !== null && <span className={styles.indexes}>[{indexes}]</span>}
            {count > 1 && <span className={styles.count}>×{number(count)}</span>}
          </li>
        ))}
      </ul>
    </>
  );
}
