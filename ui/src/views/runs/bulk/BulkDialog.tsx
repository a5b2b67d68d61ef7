import type { Run } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { minute } from "@/lib/time.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { messageOf } from "@/parts/ErrorState.tsx";
import styles from "@/parts/picking.module.css";
import { StateIcon } from "@/parts/State.tsx";
import { type Deed, useBulk, useReaches } from "./useBulk.ts";

const WORDS: Record<Deed, [title: string, will: string, button: string]> = {
  retry: ["Retry failed tasks", "will run again", "Retry"],
  clear: ["Clear", "will run again", "Clear"],
  cancel: ["Cancel", "will be cancelled", "Cancel"],
  success: ["Mark as success", "will be marked as success", "Mark"],
  failed: ["Mark as failed", "will be marked as failed", "Mark"],
};

/** The same for many runs: first exactly which and what it reaches in each, then the button. */
export function BulkDialog({
  deed,
  runs,
  close,
  done,
}: {
  deed: Deed;
  runs: readonly Run[];
  close: () => void;
  done: () => void;
}) {
  const reaches = useReaches(deed, runs);
  const bulk = useBulk(deed);
  const [title, will, button] = WORDS[deed];
  const planned = reaches.every(({ isPending }) => !isPending);
  const todo = runs.flatMap(({ run_id }, index) => {
    const plan = reaches[index]?.data;
    return plan && (plan.instances > 0 || deed === "cancel")
      ? [{ run: run_id, code: plan.code ?? "run" } as const]
      : [];
  });
  const sum = reaches.reduce((total, { data }) => total + (data?.instances ?? 0), 0);
  return (
    <Dialog
      title={`${title}: ${counted(runs.length, "run")}`}
      wide
      close={close}
      foot={
        <>
          <Button onClick={close}>Close</Button>
          <Button
            look={deed === "cancel" ? "danger" : "primary"}
            disabled={!planned || todo.length === 0 || bulk.isPending}
            onClick={() =>
              bulk.mutate(todo, {
                onSuccess: () => {
                  done();
                  close();
                },
              })
            }
          >
            {button} {counted(todo.length, "run")}
          </Button>
        </>
      }
    >
      <p role="status">
        {planned
          ? `${counted(sum, "task instance")} of ${counted(todo.length, "run")} ${will}.`
          : "Asking what would happen in each run…"}
      </p>
      <ul className={styles.items} aria-label="Runs">
        {runs.map((run, index) => {
          const plan = reaches[index];
          return (
            <li key={run.run_id}>
              <StateIcon state={run.state} />
              <code>{run.run_id}</code>
              <span>
                {run.dag_id}, {minute(run.logical_date)}
              </span>
              <span className={styles.reach}>
                {plan?.error ? messageOf(plan.error) : plan?.data ? reachWords(plan.data) : "…"}
              </span>
            </li>
          );
        })}
      </ul>
    </Dialog>
  );
}

function reachWords({ instances, code }: { instances: number; code?: string }): string {
  const many = instances === 0 ? "nothing to do" : counted(instances, "task instance");
  return code === "latest" && instances > 0 ? `${many}, latest code` : many;
}
