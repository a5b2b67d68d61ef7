import { type Scale, xOf } from "@/lib/gantt/bars.ts";

export interface RunBar {
  run_id: string;
  dag_id: string;
  state: string;
  started_at: string;
  ended_at: string | null;
}

export interface Ghost {
  dag_id: string;
  at: string;
  expected_s: number | null;
}

export interface DagRow {
  dag: string;
  runs: RunBar[];
  ghosts: Ghost[];
}

/** A row for each DAG that ran or will, by name. */
export function dagRows(runs: readonly RunBar[], ghosts: readonly Ghost[]): DagRow[] {
  const rows = new Map<string, DagRow>();
  const of = (dag: string) => {
    const row = rows.get(dag) ?? { dag, runs: [], ghosts: [] };
    rows.set(dag, row);
    return row;
  };
  for (const run of runs) of(run.dag_id).runs.push(run);
  for (const ghost of ghosts) of(ghost.dag_id).ghosts.push(ghost);
  return [...rows.values()].sort((a, b) => (a.dag < b.dag ? -1 : 1));
}

const LEAST = 3; // thinner could not be seen

/** Where something lies as far as the axis goes; null: it is not on it. */
export function placed(
  from: number,
  to: number,
  scale: Scale,
): { x: number; width: number } | null {
  if (to < scale.from || from > scale.to) return null;
  const x = Math.max(0, xOf(from, scale));
  const end = Math.min(scale.width, xOf(to, scale));
  const width = Math.min(Math.max(LEAST, end - x), scale.width);
  return { x: Math.min(x, scale.width - width), width };
}

/** What has not ended lasts until now. */
export function runPlaced(run: RunBar, scale: Scale, now: number) {
  const end = run.ended_at ? Date.parse(run.ended_at) : now;
  return placed(Date.parse(run.started_at), end, scale);
}

export function ghostPlaced(ghost: Ghost, scale: Scale) {
  const at = Date.parse(ghost.at);
  return placed(at, at + (ghost.expected_s ?? 0) * 1000, scale);
}
