import { useMutation } from "@tanstack/react-query";
import { useEffect } from "react";
import { request } from "@/api/request.ts";
import type { LinkedRun } from "@/api/types.ts";
import { InlineError } from "@/parts/ErrorState.tsx";
import { StateBadge, StateCounts } from "@/parts/State.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import styles from "./Linked.module.css";

/** A run, read by a link without signing in: `/linked#…`. */
export function Linked() {
  const open = useMutation({
    mutationFn: (token: string) => request("post", "/linked-run", { body: { token } }),
  });
  const show = open.mutate;
  useEffect(() => {
    document.title = "Run · Headway";
    const read = () => show(location.hash.slice(1));
    read();
    window.addEventListener("hashchange", read);
    return () => window.removeEventListener("hashchange", read);
  }, [show]);
  return (
    <main className={styles.page}>
      {open.data ? <Run run={open.data} /> : <h1>Run</h1>}
      {open.isPending && <p role="status">Loading …</p>}
      <InlineError error={open.error} />
    </main>
  );
}

function Run({ run }: { run: LinkedRun }) {
  return (
    <>
      <h1>{run.dag_id}</h1>
      <p className={styles.note}>
        <StateBadge state={run.state} /> · run <code>{run.run_id}</code> of team {run.team} ·
        started <RelativeTime at={run.started_at} />
        {run.ended_at && (
          <>
            , ended <RelativeTime at={run.ended_at} />
          </>
        )}
      </p>
      {run.errors.length > 0 && <h2>Errors</h2>}
      {run.errors.map((error) => (
        <section key={`${error.task_id} ${error.detail}`} className={styles.error}>
          <h3>
            {error.task_id}
            {error.count > 1 && ` and ${error.count - 1} more`}
          </h3>
          <pre>{error.log || error.detail || "no message"}</pre>
        </section>
      ))}
      <h2>Tasks</h2>
      <ul className={styles.tasks}>
        {run.tasks.map((task) => (
          <li key={task.task_id}>
            <span>{task.task_id}</span>
            <StateCounts counts={task.counts} />
          </li>
        ))}
      </ul>
      <p className={styles.note}>
        This link shows one run and nothing else. It expires <RelativeTime at={run.expires_at} />.
      </p>
    </>
  );
}
