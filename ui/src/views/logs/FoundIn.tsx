import { Link } from "@tanstack/react-router";
import { memo } from "react";
import type { FoundLine } from "@/api/types.ts";
import { absolute, compact } from "@/lib/time.ts";
import { DagLink, RunLink } from "@/parts/links.tsx";
import { useTeam } from "@/state/session.ts";
import type { FoundLog, FoundRun } from "./grouped.ts";
import styles from "./LogSearch.module.css";
import { marked } from "./marked.ts";

/** The lines of one run, by attempt; each leads to itself in its log. */
export function FoundIn({ found, q }: { found: FoundRun; q: string | undefined }) {
  return (
    <section className={styles.run}>
      <h2>
        {found.dag && <DagLink dag={found.dag} />}
        {found.date && (
          <time dateTime={found.date} title={absolute(found.date)}>
            {compact(found.date, Date.now())}
          </time>
        )}
        <RunLink run={found.run} />
      </h2>
      {found.logs.map((log) => (
        <Log key={`${log.task} ${log.map} ${log.attempt}`} run={found.run} log={log} q={q} />
      ))}
    </section>
  );
}

function Log({ run, log, q }: { run: string; log: FoundLog; q: string | undefined }) {
  const { task, map, attempt, lines } = log;
  const name = `${task}${map < 0 ? "" : `[${map}]`}`;
  return (
    <section className={styles.log} aria-label={`${name}, attempt ${attempt}`}>
      <h3>
        {name}
        <span>attempt {attempt}</span>
      </h3>
      <ul>
        {lines.map((line) => (
          <li key={line.line}>
            <Line run={run} line={line} q={q} />
          </li>
        ))}
      </ul>
    </section>
  );
}

const Line = memo(Found, (a, b) => a.line === b.line && a.q === b.q);

function Found({ run, line, q }: { run: string; line: FoundLine; q: string | undefined }) {
  const team = useTeam();
  const { task_id: task, map_index, attempt } = line;
  const { before, match, after } = marked(line.text, line.start, line.end);
  return (
    <Link
      className={styles.line}
      to="/t/$team/runs/$run/log"
      params={{ team, run }}
      search={{
        task,
        map: map_index < 0 ? undefined : map_index,
        try: attempt,
        line: String(line.line),
        q,
      }}
      preload={false}
    >
      <span className={styles.number}>{line.line}</span>
      <span className={styles.said}>
        {before}
        <mark>{match}</mark>
        {after}
      </span>
    </Link>
  );
}
