import { useQuery } from "@tanstack/react-query";
import { run as runQuery } from "@/api/queries.ts";
import { Problem } from "@/api/request.ts";
import { runTasks } from "@/api/runTasks.ts";
import type { Run } from "@/api/types.ts";
import type { Selection } from "@/lib/selection.ts";
import { useSelection } from "@/state/selection.ts";

export interface Known {
  /** What of the selection there is. */
  selection: Selection;
  /** The run that is selected, of whichever DAG. */
  run: Run | undefined;
  /** What the address names and nobody knows. */
  unknown: "run" | "task" | null;
  pending: boolean;
}

const NO_SUCH: Readonly<Record<number, true>> = { 400: true, 404: true, 422: true };

/** The selection as far as it exists: an address may name a run that is gone, or was mistyped. */
export function useKnown(dag: string): Known {
  const [selection] = useSelection();
  const found = useQuery({ ...runQuery(selection.run ?? ""), enabled: Boolean(selection.run) });
  const run = found.data;
  const tasks = useQuery({
    ...runTasks(run?.run_id ?? ""),
    enabled: run?.dag_id === dag && Boolean(selection.task),
  });
  const gone = found.error instanceof Problem && found.error.status in NO_SUCH;
  if (selection.run && ((gone && !run) || (run && run.dag_id !== dag)))
    return { selection: {}, run, unknown: "run", pending: false };
  if (selection.task && tasks.data?.every((one) => one.task_id !== selection.task))
    return { selection: { run: selection.run }, run, unknown: "task", pending: false };
  const pending = Boolean(selection.run) && !run;
  return { selection, run, unknown: null, pending };
}
