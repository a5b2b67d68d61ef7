import { useMemo } from "react";
import type { RunTask } from "@/api/types.ts";
import { type Box, type Picture, pictureOf } from "@/lib/graph/collapse.ts";
import type { Focus } from "@/lib/graph/focus.ts";
import { type Near, near, READABLE } from "@/lib/graph/near.ts";
import { mostTelling } from "@/lib/states.ts";
import type { Suggestion } from "./Pick.tsx";
import type { useGraph } from "./useGraph.ts";

type Graph = ReturnType<typeof useGraph>["graph"];

export interface Shown {
  /** All of it, as the groups are open. */
  whole: Picture | null;
  selected: Box | undefined;
  /** Only what lies around the selected box; null: all of it. */
  around: Near | null;
  /** What is drawn; null when a task must be picked first. */
  picture: Picture | null;
}

/** What of the graph is drawn: all of a small one, of a large one what lies around a task. */
export function useShown(
  graph: Graph,
  open: ReadonlySet<string>,
  task: string | undefined,
  only: boolean | undefined,
  focus: Focus | undefined,
): Shown {
  const whole = useMemo(
    () => (graph.tasks.length > 0 ? pictureOf(graph.tasks, graph.groups, open) : null),
    [graph, open],
  );
  const selected = whole?.boxes.find((box) => task && box.tasks.includes(task));
  const part = only ?? (whole?.boxes.length ?? 0) > READABLE;
  const around = useMemo(
    () => (part && whole && selected ? near(whole, selected.id, focus) : null),
    [part, whole, selected, focus],
  );
  return { whole, selected, around, picture: part ? (around?.picture ?? null) : whole };
}

const MOST = 12;
const FIRST = ["failed", "running", "up_for_retry"];

/** Where to begin: what failed or runs, then where the graph itself begins. */
export function suggestions(graph: Graph, states: ReadonlyMap<string, RunTask>): Suggestion[] {
  const all = graph.tasks.map(({ task_id: task, label, upstream }) => ({
    task,
    label,
    upstream,
    state: mostTelling(states.get(task)?.counts ?? {}),
  }));
  const urgent = FIRST.flatMap((state) => all.filter((one) => one.state === state));
  const beginnings = all.filter((one) => one.upstream.length === 0 && !urgent.includes(one));
  return [...urgent, ...beginnings].slice(0, MOST);
}
