import { useState } from "react";
import type { DagSummary } from "@/api/types.ts";
import { counted, number } from "@/lib/count.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import styles from "@/parts/picking.module.css";
import { type Picked, PickedBar } from "@/parts/picking.tsx";
import { usePauseMany } from "./usePauseMany.ts";

/** Pause or resume the DAGs that are selected: first exactly which, then the button. */
export function BulkPause({
  picked,
  total,
  all,
}: {
  picked: Picked<DagSummary>;
  /** Of the list, also what is not loaded yet; `all` selects them. */
  total: number;
  all: () => void;
}) {
  const [pausing, setPausing] = useState<boolean | null>(null);
  const { chosen, choose } = picked;
  return (
    <PickedBar picked={picked} noun="DAG">
      <Button small onClick={() => setPausing(true)}>
        Pause…
      </Button>
      <Button small onClick={() => setPausing(false)}>
        Resume…
      </Button>
      {chosen.length < total && (
        <Button small look="quiet" onClick={all}>
          Select all {number(total)}
        </Button>
      )}
      {pausing !== null && (
        <PauseDialog
          dags={chosen}
          pausing={pausing}
          close={() => setPausing(null)}
          done={() => choose([])}
        />
      )}
    </PickedBar>
  );
}

function PauseDialog({
  dags,
  pausing,
  close,
  done,
}: {
  dags: readonly DagSummary[];
  pausing: boolean;
  close: () => void;
  done: () => void;
}) {
  const change = usePauseMany();
  const todo = dags.filter(({ paused_at }) => Boolean(paused_at) !== pausing);
  const verb = pausing ? "Pause" : "Resume";
  const already = pausing ? "already paused" : "not paused";
  return (
    <Dialog
      title={`${verb} ${counted(dags.length, "DAG")}`}
      wide
      close={close}
      foot={
        <>
          <Button onClick={close}>Close</Button>
          <Button
            look="primary"
            disabled={todo.length === 0 || change.isPending}
            onClick={() => {
              change.mutate({ dags: todo.map(({ dag_id }) => dag_id), pause: pausing });
              done();
              close();
            }}
          >
            {verb} {counted(todo.length, "DAG")}
          </Button>
        </>
      }
    >
      <p role="status">
        {pausing
          ? `No scheduled runs of ${counted(todo.length, "DAG")} will start. Running tasks continue.`
          : `Scheduled runs of ${counted(todo.length, "DAG")} will start again.`}
      </p>
      <ul className={styles.items} aria-label="DAGs">
        {dags.map((dag) => (
          <li key={dag.dag_id}>
            <code>{dag.dag_id}</code>
            <span>{dag.schedule_words}</span>
            <span className={styles.reach}>
              {todo.includes(dag) ? (pausing ? "will be paused" : "will be resumed") : already}
            </span>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
