import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { newestRun, type RunTask, runTasks } from "@/api/runTasks.ts";
import type { GraphTask } from "@/lib/graph/collapse.ts";
import { folded, openAtFirst } from "@/lib/graph/fold.ts";
import { groupsOf } from "@/lib/graph/groups.ts";
import { useLiveTasks } from "./useLiveTasks.ts";

/** The tasks of the selected run, or of the newest, and how they are grouped. */
export function useGraph(dag: string, selected: string | undefined) {
  const newest = useQuery({ ...newestRun(dag), enabled: !selected });
  const run = selected ?? newest.data?.run_id;
  const found = useQuery({ ...runTasks(run ?? ""), enabled: Boolean(run) });
  useLiveTasks(dag, run, selected !== undefined);
  const graph = useMemo(() => {
    const tasks = (found.data ?? []).map(graphTask);
    const all = folded(tasks, groupsOf(tasks));
    return { ...all, openAtFirst: openAtFirst(all.tasks, all.groups) };
  }, [found.data]);
  const states = useMemo(
    () => new Map((found.data ?? []).map((task) => [task.task_id, task])),
    [found.data],
  );
  return { run, newest, found, graph, states };
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
