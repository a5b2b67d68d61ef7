import { useNavigate } from "@tanstack/react-router";
import { counted } from "@/lib/count.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { useTeam } from "@/state/session.ts";
import styles from "./Actions.module.css";
import { useReplay, useReplayPlan } from "./useReplay.ts";

/** A run once more as it was: first what that cannot bring back, then the button. */
export function ReplayDialog({ run, close }: { run: string; close: () => void }) {
  const team = useTeam();
  const navigate = useNavigate();
  const plan = useReplayPlan(run);
  const replay = useReplay(run);
  return (
    <Dialog
      title="Replay this run"
      close={close}
      foot={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button
            look="primary"
            disabled={!plan.data || replay.isPending}
            onClick={() =>
              replay.mutate(undefined, {
                onSuccess: ({ run_id }) => {
                  close();
                  navigate({ to: "/t/$team/runs/$run", params: { team, run: run_id } });
                },
              })
            }
          >
            Replay
          </Button>
        </>
      }
    >
      {plan.isPending && <SkeletonRows count={4} />}
      {plan.data && (
        <>
          <p className={styles.sentence}>
            This starts a new run of version {plan.data.version} with{" "}
            {counted(plan.data.tasks, "task")} and the files, parameters and dates of this run.
            {plan.data.would_wait && ` The run would wait: ${plan.data.would_wait}.`}
          </p>
          <p>What may differ from the original run:</p>
          <ul className={styles.points} aria-label="What may differ">
            {plan.data.not_reproduced.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </>
      )}
      <InlineError error={plan.error ?? replay.error} />
    </Dialog>
  );
}
