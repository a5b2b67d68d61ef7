import { useState } from "react";
import type { TaskInstanceDetail } from "@/api/types.ts";
import { instanceName } from "@/lib/instances.ts";
import { isFinal, stateWord } from "@/lib/states.ts";
import { useShortcuts } from "@/state/keyboard.ts";
import { useMay } from "@/state/session.ts";
import { ActionButton } from "../actions/ActionButton.tsx";
import { ClearDialog } from "../actions/ClearDialog.tsx";
import { MarkDialog } from "../actions/MarkDialog.tsx";
import styles from "./Drawer.module.css";

type Open = "retry" | "clear" | "success" | "failed";

/** What can be done with a task instance; each says first exactly what it will do. */
export function InstanceActions({ instance }: { instance: TaskInstanceDetail }) {
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const { run_id, task_id, map_index, state } = instance;
  const name = instanceName(instance);
  const mayClear = useMay("run.clear");
  const sleeps = state === "up_for_retry"; // until its delay is over, unless somebody is in a hurry
  const retriable = sleeps || (isFinal(state) && state !== "success" && state !== "skipped");
  useShortcuts([
    { keys: "r", does: "Retry", run: () => mayClear && retriable && setOpen("retry") },
    { keys: "c", does: "Clear", run: () => mayClear && setOpen("clear") },
  ]);
  const wish = {
    tasks: [task_id],
    map_indexes: map_index < 0 ? [] : [map_index],
    failed_only: false,
    downstream: true,
    upstream: false,
  };
  return (
    <div className={styles.actions}>
      <ActionButton
        needs="run.clear"
        small
        look="primary"
        unless={!retriable && `Nothing to retry: the task is ${stateWord(state)}`}
        onClick={() => setOpen("retry")}
      >
        {sleeps ? "Retry now" : "Retry"}
      </ActionButton>
      <ActionButton
        needs="run.clear"
        small
        unless={state === "waiting" && "The task is already waiting"}
        onClick={() => setOpen("clear")}
      >
        Clear…
      </ActionButton>
      <ActionButton
        needs="run.mark"
        small
        unless={state === "success" && "The task has already succeeded"}
        onClick={() => setOpen("success")}
      >
        Mark success
      </ActionButton>
      <ActionButton
        needs="run.mark"
        small
        unless={state === "failed" && "The task has already failed"}
        onClick={() => setOpen("failed")}
      >
        Mark failed
      </ActionButton>
      {(open === "retry" || open === "clear") && (
        <ClearDialog
          run={run_id}
          title={`${open === "retry" ? "Retry" : "Clear"} ${name}`}
          wish={wish}
          close={close}
        />
      )}
      {(open === "success" || open === "failed") && (
        <MarkDialog run={run_id} wish={{ task_id, map_index, state: open }} close={close} />
      )}
    </div>
  );
}
