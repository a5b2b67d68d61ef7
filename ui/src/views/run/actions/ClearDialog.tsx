import { useState } from "react";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import styles from "./Actions.module.css";
import { Affected } from "./Affected.tsx";
import { CodeChoice } from "./CodeChoice.tsx";
import { type ClearWish, type Code, useClear, useClearPlan } from "./useRunAction.ts";

/** Let task instances happen again: first exactly which, then the button. */
export function ClearDialog({
  run,
  title,
  wish: first,
  close,
}: {
  run: string;
  title: string;
  wish: ClearWish;
  close: () => void;
}) {
  const [asked, setWish] = useState(first);
  const [picked, pick] = useState<Code | null>(null);
  const choice = useClearPlan(run, asked).data?.choice;
  const code = picked ?? (choice?.advised === "latest" ? "latest" : "run");
  const wish = { ...asked, code };
  const plan = useClearPlan(run, wish);
  const clear = useClear(run);
  const keys = plan.data?.cleared;
  const count = keys?.length ?? 0;
  return (
    <Dialog
      title={title}
      close={close}
      foot={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button
            look="primary"
            disabled={count === 0 || !choice || plan.isPlaceholderData || clear.isPending}
            onClick={() => clear.mutate(wish, { onSuccess: close })}
          >
            {count > 0 ? `Run ${count.toLocaleString("en-US")} again` : "Run again"}
          </Button>
        </>
      }
    >
      <div className={styles.choices}>
        {!asked.error && (
          <Choice wish={asked} name="failed_only" word="Only failed tasks" set={setWish} />
        )}
        {(asked.tasks.length > 0 || asked.error) && (
          <>
            <Choice wish={asked} name="downstream" word="Include downstream tasks" set={setWish} />
            <Choice wish={asked} name="upstream" word="Include upstream tasks" set={setWish} />
          </>
        )}
      </div>
      {choice && <CodeChoice choice={choice} code={code} pick={pick} />}
      {plan.isError ? (
        <InlineError error={plan.error} />
      ) : (
        <Affected keys={keys} happens="run again" none="No tasks would run again" />
      )}
      <InlineError error={clear.error} />
    </Dialog>
  );
}

type Name = "failed_only" | "downstream" | "upstream";

function Choice({
  wish,
  name,
  word,
  set,
}: {
  wish: ClearWish;
  name: Name;
  word: string;
  set: (wish: ClearWish) => void;
}) {
  return (
    <label className={styles.choice}>
      <input
        type="checkbox"
        checked={wish[name]}
        onChange={(event) => set({ ...wish, [name]: event.target.checked })}
      />
      {word}
    </label>
  );
}
