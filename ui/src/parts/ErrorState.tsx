import { Problem } from "@/api/request.ts";
import { sentence } from "@/lib/sentence.ts";
import { Button } from "./Button.tsx";
import { Hint } from "./Hint.tsx";
import styles from "./Notice.module.css";

/** What failed, what still works, and the way to try again, where that can help. */
export function ErrorState({
  error,
  what,
  retry,
  stillWorks,
}: {
  error: unknown;
  /** What could not be shown: "The runs". */
  what: string;
  retry?: () => void;
  stillWorks?: string;
}) {
  const problem = error instanceof Problem ? error : null;
  const isMissing = problem?.status === 404;
  const helps = problem?.status !== 403; // what is not allowed stays so
  return (
    <div className={styles.notice} role="alert">
      <p className={styles.title}>
        {isMissing ? sentence(messageOf(error)) : `${what} could not be shown`}
      </p>
      <p className={styles.body}>
        {isMissing
          ? "Check the address, or press / to search for a DAG, a run or a task."
          : sentence(messageOf(error))}
      </p>
      {problem?.where && <code className={styles.hint}>{problem.where}</code>}
      {problem?.hint && <Hint text={problem.hint} />}
      {stillWorks && <p className={styles.hint}>{stillWorks}</p>}
      {retry && helps && (
        <div className={styles.actions}>
          <Button onClick={retry}>Try again</Button>
        </div>
      )}
    </div>
  );
}

/** Beside the button that led to it. */
export function InlineError({ error }: { error: unknown }) {
  if (!error) return null;
  const hint = error instanceof Problem ? error.hint : null;
  return (
    <div role="alert">
      <p className={styles.failed}>{sentence(messageOf(error))}</p>
      {hint && <Hint text={hint} />}
    </div>
  );
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
