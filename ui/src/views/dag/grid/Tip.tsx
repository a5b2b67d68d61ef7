import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { instance } from "@/api/instances.ts";
import type { GridRun } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { between, duration } from "@/lib/duration.ts";
import { countsAt, failedIn, stateAt } from "@/lib/grid/cells.ts";
import type { Place } from "@/lib/grid/keys.ts";
import type { Row } from "@/lib/grid/tree.ts";
import { absolute } from "@/lib/time.ts";
import { StateBadge, StateCounts } from "@/parts/State.tsx";
import { Words } from "@/parts/Words.tsx";
import { Fact, HoverCard, hoverStyles as styles } from "../HoverCard.tsx";

interface Props {
  place: Place;
  x: number;
  y: number;
  rows: readonly Row[];
  runs: readonly GridRun[];
}

/** What a cell means: its state at once, why and how long when the server has said so. */
export function Tip({ place, x, y, rows, runs }: Props) {
  const run = runs[place.column];
  const row = rows[place.row];
  if (!run) return null;
  return (
    <HoverCard x={x} y={y}>
      {row ? <OfCell row={row} run={run} /> : <OfRun run={run} />}
    </HoverCard>
  );
}

function OfRun({ run }: { run: GridRun }) {
  return (
    <>
      <p className={styles.title}>{absolute(run.logical_date)}</p>
      <StateBadge state={run.state} />
      {run.state === "success" && failedIn(run) > 0 && (
        <p className={styles.run}>{counted(failedIn(run), "task")} failed</p>
      )}
      <dl>
        <Fact name="took" value={duration(between(run.started_at, run.ended_at, Date.now()))} />
        <Fact name="version" value={String(run.version)} />
        <Fact name="started by" value={run.trigger} />
        {run.note && <Fact name="note" value={run.note} />}
      </dl>
    </>
  );
}

function OfCell({ row, run }: { row: Row; run: GridRun }) {
  const state = stateAt(row, run);
  const counts = countsAt(row, run);
  return (
    <>
      <p className={styles.title}>{row.id}</p>
      <p className={styles.run}>{absolute(run.logical_date)}</p>
      {state === null && <p>Version {run.version} has no such task.</p>}
      {counts ? <StateCounts counts={counts} /> : state && <StateBadge state={state} />}
      {state && !counts && row.kind === "task" && <Why run={run.run_id} task={row.id} />}
    </>
  );
}

const PAUSE_MS = 120;

function Why({ run, task }: { run: string; task: string }) {
  const [asked, setAsked] = useState<string | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(`${run} ${task}`), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [run, task]);
  const { data } = useQuery({ ...instance(run, task, -1), enabled: asked === `${run} ${task}` });
  if (!data) return <div className={styles.place} />;
  const why = data.blocked_reason ?? data.reason;
  const waited = between(data.queued_at, data.started_at, Date.now());
  return (
    <div className={styles.place}>
      {why && (
        <p className={styles.why}>
          <Words text={why} />
        </p>
      )}
      <dl>
        {data.started_at && (
          <Fact name="ran" value={duration(between(data.started_at, data.ended_at, Date.now()))} />
        )}
        {waited !== null && <Fact name="waited for its start" value={duration(waited)} />}
        {data.attempts > 1 && <Fact name="attempts" value={String(data.attempts)} />}
      </dl>
    </div>
  );
}
