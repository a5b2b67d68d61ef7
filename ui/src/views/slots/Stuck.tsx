import { useState } from "react";
import type { StuckTasks } from "@/api/types.ts";
import { number } from "@/lib/count.ts";
import { instanceName } from "@/lib/instances.ts";
import { type Remedy, remedyOf, withoutCommand } from "@/lib/remedy.ts";
import { Button } from "@/parts/Button.tsx";
import { CopyText } from "@/parts/CopyText.tsx";
import { RunLink } from "@/parts/links.tsx";
import { Card } from "@/parts/Page.tsx";
import { StateIcon } from "@/parts/State.tsx";
import { Since } from "@/parts/Time.tsx";
import { Words } from "@/parts/Words.tsx";
import { useMay } from "@/state/session.ts";
import { PoolDialog } from "./PoolDialog.tsx";
import styles from "./Stuck.module.css";

/** Tasks that can never run as things are, each with what lets it run. */
export function Stuck({ tasks }: { tasks: readonly StuckTasks[] }) {
  if (tasks.length === 0) return null;
  return (
    <Card title="Tasks that cannot run">
      <ul className={styles.stuck}>
        {tasks.map((task) => (
          <Line key={`${task.run_id} ${task.task_id} ${task.slots}`} task={task} />
        ))}
      </ul>
    </Card>
  );
}

function Line({ task }: { task: StuckTasks }) {
  const remedy = remedyOf(task.why, task.slots);
  return (
    <li>
      <StateIcon state="failed" />
      <span className={styles.what}>
        <RunLink run={task.run_id}>
          {task.dag_id} · {instanceName(task)}
        </RunLink>
        {task.count > 1 && ` and ${number(task.count - 1)} more`}
        <span className={styles.why}>
          <Words text={withoutCommand(task.reason, remedy)} />, <Since at={task.since} />
        </span>
      </span>
      <RemedyButton remedy={remedy} />
    </li>
  );
}

/** The next step: a pool is made or resized here; an agent is started where it is to run. */
export function RemedyButton({ remedy }: { remedy: Remedy }) {
  const [open, setOpen] = useState(false);
  const mayChange = useMay("pool.write");
  if (remedy === null) return null;
  if (remedy.kind === "command") return <CopyText text={remedy.command} />;
  const { pool, slots, before } = remedy;
  return (
    <>
      <Button small disabled={!mayChange} onClick={() => setOpen(true)}>
        {before === null ? `Create pool ${pool}` : `Resize pool ${pool}`}
      </Button>
      {open && (
        <PoolDialog
          pool={before === null ? undefined : { name: pool, slots: before }}
          wanted={{ name: pool, slots }}
          close={() => setOpen(false)}
        />
      )}
    </>
  );
}
