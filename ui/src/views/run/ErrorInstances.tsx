import { useState } from "react";
import type { DistinctError, InstanceKey, Run } from "@/api/types.ts";
import { counted, number } from "@/lib/count.ts";
import type { Selection } from "@/lib/selection.ts";
import { Button } from "@/parts/Button.tsx";
import { inputClass } from "@/parts/Field.tsx";
import { useMay } from "@/state/session.ts";
import { ClearDialog } from "./actions/ClearDialog.tsx";
import styles from "./Errors.module.css";

/** The task instances that have one error: searched, opened, and run again as a set. */
export function ErrorInstances({
  error: { count, instances = [], task_ids },
  run,
  select,
}: {
  error: DistinctError;
  run: Run;
  select: (next: Selection) => void;
}) {
  const [open, setOpen] = useState(false);
  const [query, setQuery] = useState("");
  const [retrying, setRetrying] = useState(false);
  const mayClear = useMay("run.clear");
  const shown = instances.filter((key) => nameOf(key).includes(query.trim()));
  const whole = instances.length === count && task_ids.length === 1;
  const indexes = instances.map(({ map_index }) => map_index).filter((index) => index >= 0);
  return (
    <details className={styles.same} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>×{number(count)}: the task instances with this error</summary>
      {open && (
        <>
          <div className={styles.tools}>
            {instances.length > 8 && (
              <input
                className={inputClass}
                aria-label="Search these task instances"
                placeholder="Name or index…"
                value={query}
                onChange={(event) => setQuery(event.target.value)}
                spellCheck={false}
              />
            )}
            {whole && mayClear && (
              <Button small onClick={() => setRetrying(true)}>
                Retry these {number(count)}
              </Button>
            )}
          </div>
          <ul className={styles.instances}>
            {shown.map((key) => (
              <li key={nameOf(key)}>
                <Button small flush look="quiet" onClick={() => select(placeOf(key))}>
                  <code>{nameOf(key)}</code>
                </Button>
              </li>
            ))}
          </ul>
          {shown.length === 0 && <p>No instance matches “{query}”.</p>}
          {count > instances.length && (
            <p>and {counted(count - instances.length, "more task instance")}</p>
          )}
        </>
      )}
      {retrying && (
        <ClearDialog
          run={run.run_id}
          title={`Retry ${counted(count, "task instance")}`}
          wish={{
            tasks: task_ids,
            failed_only: true,
            downstream: true,
            upstream: false,
            map_indexes: indexes,
          }}
          close={() => setRetrying(false)}
        />
      )}
    </details>
  );
}

function nameOf({ task_id, map_index }: InstanceKey): string {
  return map_index < 0 ? task_id : `${task_id}[${map_index}]`;
}

function placeOf({ task_id, map_index }: InstanceKey): Selection {
  return { task: task_id, map: map_index < 0 ? undefined : map_index };
}
