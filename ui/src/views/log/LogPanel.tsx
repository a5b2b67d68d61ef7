import { useEffect, useMemo, useState } from "react";
import type { LogKey } from "@/api/logs.ts";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { firstHit, type LogChoices, rangeOfChoices } from "./choices.ts";
import styles from "./LogPanel.module.css";
import { LogSheet } from "./LogSheet.tsx";
import { LogToolbar } from "./LogToolbar.tsx";
import { removedSentence } from "./removed.ts";
import { useLog } from "./useLog.ts";
import { useLevel, useMatches } from "./useMatches.ts";

/**
 * The log of an attempt: what it says now, what it said where. What is chosen is the caller's, so
 * that a page can keep it in its URL.
 */
export function LogPanel({
  log,
  choices,
  choose,
}: {
  log: LogKey;
  choices: LogChoices;
  choose: (choices: Partial<LogChoices>) => void;
}) {
  const { source, complete, size, known, failed, again } = useLog(log);
  const level = useLevel(log, choices.level);
  const search = useMatches(log, choices.q ?? "");
  const marks = rangeOfChoices(choices);
  // To the end, unless the URL names a line.
  const [follow, setFollow] = useState(marks === null);
  const [hit, setHit] = useState(-1);
  const { goal, jump } = useGoal(marks?.first);

  const { q } = choices;
  const found = search.matches.length;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another question begins anew
  useEffect(() => setHit(-1), [q]);
  const first = firstHit(search.matches, marks?.first ?? 1, search.more);
  const firstLine = search.matches[first]?.line;
  useEffect(() => {
    if (hit >= 0 || firstLine === undefined) return;
    setHit(first);
    setFollow(false);
    jump(firstLine);
  }, [hit, first, firstLine, jump]);
  const turn = (by: number) => {
    if (found === 0) return;
    const next = (hit + by + found) % found;
    setHit(next);
    setFollow(false);
    choose({ level: undefined });
    jump(search.matches[next]?.line ?? 1);
  };
  const pick = (line: number, extend: boolean) => {
    const from = extend ? marks?.first : undefined;
    choose({ line: from && from !== line ? `${from}-${line}` : `${line}`, level: undefined });
    if (level) jump(line);
  };

  const removed = removedSentence(failed);
  if (removed) return <Removed sentence={removed} />;
  if (failed && !known) return <ErrorState error={failed} what="The log" retry={again} />;
  const current = search.matches[hit]?.line;
  const shown = level ?? source;
  const pointed = current === undefined ? marks : { first: current, last: current };
  return (
    <div className={styles.panel}>
      <LogToolbar
        log={log}
        choices={choices}
        choose={choose}
        hits={{ at: hit, found, more: search.more || search.searching }}
        turn={turn}
        lines={source.lines}
        size={size}
        known={known}
        live={!complete}
        follow={follow}
        setFollow={setFollow}
      />
      {!known && <SkeletonRows count={6} />}
      {known && shown.lines === 0 ? (
        <Nothing level={level !== null} searching={level?.searching ?? false} complete={complete} />
      ) : (
        known && (
          <LogSheet
            source={shown}
            wrap={choices.wrap ?? false}
            needle={q ?? ""}
            marks={pointed}
            goal={level ? null : goal}
            follow={follow && !level}
            setFollow={setFollow}
            pick={pick}
          />
        )
      )}
    </div>
  );
}

/** Where to be: the line of the URL first, then what was jumped to. */
function useGoal(line: number | undefined) {
  const [jumped, setJumped] = useState<{ index: number } | null>(null);
  const named = useMemo(() => (line === undefined ? null : { index: line - 1 }), [line]);
  const [jump] = useState(() => (to: number) => setJumped({ index: to - 1 }));
  const [last, setLast] = useState(named);
  if (last !== named) {
    setLast(named);
    setJumped(null);
  }
  return { goal: jumped ?? named, jump };
}

function Removed({ sentence }: { sentence: string }) {
  return (
    <EmptyState title="This log has been deleted">
      <p>{sentence}</p>
      <p>The result, errors and history of the attempt are kept for as long as the run.</p>
    </EmptyState>
  );
}

function Nothing({
  level,
  searching,
  complete,
}: {
  level: boolean;
  searching: boolean;
  complete: boolean;
}) {
  if (searching) return <SkeletonRows count={6} />;
  if (level) return <EmptyState title="No lines at this level" />;
  return (
    <EmptyState title={complete ? "This log is empty" : "No output yet"}>
      {!complete && <p>The task’s output will appear here as it is written.</p>}
    </EmptyState>
  );
}
