import { useMemo } from "react";
import { Problem } from "@/api/request.ts";
import { counted } from "@/lib/count.ts";
import { Button } from "@/parts/Button.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { FoundIn } from "./FoundIn.tsx";
import { type FoundRun, grouped } from "./grouped.ts";
import styles from "./LogSearch.module.css";
import { useFound } from "./useFound.ts";
import { isNarrow, type Wish } from "./wish.ts";

/** What a search has found so far, and how it goes on. */
export function Found({ wish, set }: { wish: Wish; set: (change: Wish) => void }) {
  const search = useFound(wish);
  const { lines, searching, whole, error } = search;
  const runs = useMemo(() => grouped(lines), [lines]);
  const none = lines.length === 0;
  if (error && none) return <Failed error={error} wish={wish} set={set} again={search.again} />;
  if (whole && none) return <Nothing wish={wish} set={set} again={search.again} />;
  return (
    <>
      <div className={styles.progress}>
        <span role="status">
          {!none && said(runs)}
          {searching ? " Searching…" : whole ? " All logs searched." : ""}
          {!searching && search.stopped && (none ? "Stopped. No matches so far." : " Stopped.")}
          {error && " The search failed."}
        </span>
        {searching ? (
          <Button small onClick={search.stop}>
            Stop
          </Button>
        ) : whole ? (
          <Button small onClick={search.again}>
            Search again
          </Button>
        ) : (
          <Button small onClick={search.goOn}>
            Continue
          </Button>
        )}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <section className={styles.found} aria-label="Matches" tabIndex={0}>
        {runs.map((run) => (
          <FoundIn key={run.run} found={run} q={wish.regex ? undefined : wish.q} />
        ))}
      </section>
    </>
  );
}

function said(runs: FoundRun[]): string {
  const logs = runs.flatMap((run) => run.logs);
  const lines = logs.reduce((sum, log) => sum + log.lines.length, 0);
  return `${counted(lines, "line")} in ${counted(logs.length, "log")} of ${counted(runs.length, "run")}.`;
}

interface Trouble {
  wish: Wish;
  set: (change: Wish) => void;
  again: () => void;
}

function Failed({ error, wish, set, again }: Trouble & { error: unknown }) {
  const meant = error instanceof Problem && error.status === 400 && wish.regex;
  return (
    <>
      <ErrorState
        error={error}
        what="Matches"
        retry={meant ? undefined : again}
        stillWorks={
          meant
            ? "In a regular expression, ( ) [ ] { } . * + ? ^ $ | and \\ have special meanings. To match one of them, put a \\ before it."
            : undefined
        }
      />
      {meant && (
        <div className={styles.instead}>
          <Button onClick={() => set({ regex: undefined })}>Search as plain text</Button>
        </div>
      )}
    </>
  );
}

function Nothing({ wish, set, again }: Trouble) {
  const all = { run: undefined, dag: undefined, task: undefined, state: undefined };
  return (
    <EmptyState
      title={`No matches for “${wish.q}”`}
      action={
        <>
          {isNarrow(wish) && (
            <Button
              look="primary"
              onClick={() => set({ ...all, case: undefined, from: undefined, to: undefined })}
            >
              Search in all logs
            </Button>
          )}
          <Button onClick={again}>Search again</Button>
        </>
      }
    >
      <p>
        {isNarrow(wish)
          ? "All logs that match the filters were searched."
          : "All logs were searched."}
        {!wish.regex && " Try a shorter part of the text."}
      </p>
    </EmptyState>
  );
}
