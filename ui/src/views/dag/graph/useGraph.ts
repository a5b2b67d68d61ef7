import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { grid as gridQuery } from "@/api/grid.ts";
import { dag as dagQuery } from "@/api/queries.ts";
import { newestRun, runTasks } from "@/api/runTasks.ts";
import type { Grid, RunTask } from "@/api/types.ts";
import type { GraphTask } from "@/lib/graph/collapse.ts";
import { folded, openAtFirst } from "@/lib/graph/fold.ts";
import { groupsOf } from "@/lib/graph/groups.ts";
import { useLive } from "@/state/live.ts";

const NONE: readonly RunTask[] = [];

/** The tasks of the selected run, or of the newest, and how they are grouped. */
export function useGraph(dag: string, selected: string | undefined, settled: boolean) {
  const newest = useQuery({ ...newestRun(dag), enabled: !selected });
  const run = selected ?? newest.data?.run_id;
  const found = useQuery({
    ...runTasks(run ?? ""),
    enabled: Boolean(run) && settled,
    placeholderData: (before) => before, // a newer run takes the place of the last, without a gap
  });
  // Before the first run the rows of the grid say what depends on what.
  const runless = newest.data === null && !selected;
  const grid = useInfiniteQuery({ ...gridQuery(dag), enabled: runless });
  const described = useQuery(dagQuery(dag)).data?.spec.groups;
  useLive({ dag_id: dag, run_id: selected });
  const tasks = run ? (found.data ?? NONE) : NONE;
  const outline = runless ? grid.data?.pages[0] : undefined;
  const graph = useMemo(() => {
    const flat = outline ? ofRows(outline) : tasks.map(graphTask);
    const mapped = outline
      ? outline.groups.filter((group) => group.mapped).map((group) => group.group_id)
      : tasks.map((task) => task.mapped_group ?? "");
    const all = folded(flat, groupsOf(flat, described, new Set(mapped)));
    return { ...all, openAtFirst: openAtFirst(all.tasks, all.groups) };
  }, [tasks, outline, described]);
  const states = useMemo(() => new Map(tasks.map((task) => [task.task_id, task])), [tasks]);
  const failed = newest.error ?? (runless ? grid.error : found.error);
  const error = graph.tasks.length === 0 ? failed : null;
  return { run, runless, graph, states, error, retry: runless ? grid.refetch : found.refetch };
}

function graphTask(task: RunTask): GraphTask {
  return {
    task_id: task.task_id,
    label: task.label || task.task_id,
    group: task.group || null,
    upstream: task.upstream,
    critical: task.critical ?? false,
  };
}

function ofRows({ tasks }: Grid): GraphTask[] {
  const current = tasks.filter((task) => !task.removed);
  return current.map((task) => ({
    task_id: task.task_id,
    label: task.label || task.task_id,
    group: task.group || null,
    upstream: task.upstream.flatMap((at) => tasks[at]?.task_id ?? []),
    critical: false,
  }));
}
