import { Link } from "@tanstack/react-router";
import type { DistinctError, Run } from "@/api/types.ts";
import { headlineOf } from "@/lib/causes.ts";
import { counted } from "@/lib/count.ts";
import { sourceOf } from "@/lib/excerpt.ts";
import { instanceName } from "@/lib/instances.ts";
import type { Selection } from "@/lib/selection.ts";
import { Button } from "@/parts/Button.tsx";
import { StateIcon } from "@/parts/State.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import { useTeam } from "@/state/session.ts";
import { Causes } from "./Causes.tsx";
import { ErrorInstances } from "./ErrorInstances.tsx";
import styles from "./Errors.module.css";
import { Excerpt } from "./Excerpt.tsx";

const SHOWN = 10;

/** Each different error once: how often, where first, and the lines around it. */
export function Errors({
  errors,
  run,
  select,
}: {
  errors: readonly DistinctError[];
  run: Run;
  select: (next: Selection) => void;
}) {
  return (
    <section className={styles.errors} aria-label="Errors">
      {errors.slice(0, SHOWN).map((error) => (
        <OneError key={error.fingerprint} error={error} run={run} select={select} />
      ))}
      {errors.length > SHOWN && (
        <p className={styles.more}>{counted(errors.length - SHOWN, "more distinct error")}</p>
      )}
    </section>
  );
}

function OneError({
  error,
  run,
  select,
}: {
  error: DistinctError;
  run: Run;
  select: (next: Selection) => void;
}) {
  const team = useTeam();
  const { first, count, task_ids } = error;
  const place = {
    task: first.task_id,
    map: first.map_index < 0 ? undefined : first.map_index,
    try: first.attempt,
  };
  const source = sourceOf(first.excerpt ?? "", first.line);
  return (
    <article className={styles.error}>
      <header className={styles.head}>
        <StateIcon state="failed" />
        <h2>{headOf(error)}</h2>
      </header>
      <p className={styles.where}>
        {count > 1 ? "First occurred in" : "In"}{" "}
        <Button small flush look="quiet" onClick={() => select(place)}>
          <code>{instanceName(first)}</code>
        </Button>
        {source && (
          <Link
            className={styles.source}
            to="/t/$team/dags/$dag/code"
            params={{ team, dag: run.dag_id }}
            search={{ run: run.run_id }}
          >
            <code>{source}</code>
          </Link>
        )}
        <span>
          {first.attempt > 0 && `attempt ${first.attempt}, `}
          <RelativeTime at={first.at} />
        </span>
        {task_ids.length > 1 && <span>in {counted(task_ids.length, "task")}</span>}
        <Link
          className={styles.log}
          to="/t/$team/runs/$run/log"
          params={{ team, run: run.run_id }}
          search={place}
        >
          Open the log
        </Link>
      </p>
      {count > 1 && <ErrorInstances error={error} run={run} select={select} />}
      <Causes detail={first.detail ?? ""} />
      {(first.excerpt || first.detail) && (
        <Excerpt text={first.excerpt ?? first.detail ?? ""} line={first.line} />
      )}
    </article>
  );
}

function headOf({ first, fingerprint }: DistinctError): string {
  return headlineOf(first.detail ?? "") || (first.cause ?? fingerprint);
}
