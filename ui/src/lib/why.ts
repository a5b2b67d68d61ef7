import { isFinal, stateWord } from "./states.ts";

/** Why a task instance is in its state, and what holds it there. */
export interface Why {
  text: string;
  /** What to look at next: the pool, the DAG, or another task. */
  holds: { kind: "slots" } | { kind: "dag" } | { kind: "task"; task_id: string } | null;
}

interface Instance {
  task_id: string;
  state: string;
  blocked_reason: string | null;
  reason: string | null;
  history: readonly { cause: string | null; detail: string | null }[];
}

interface Neighbour {
  task_id: string;
  upstream: readonly string[];
  counts: Readonly<Record<string, number>>;
}

/** One sentence; null when the state says it all. `tasks` are those of its run. */
export function why(instance: Instance, tasks: readonly Neighbour[]): Why | null {
  const { state, reason, blocked_reason: blocked } = instance;
  const last = instance.history[0];
  if (state === "waiting") return awaited(instance.task_id, tasks) ?? said(blocked ?? reason);
  if (state === "upstream_failed" || state === "skipped") {
    return { text: reason ?? stateWord(state), holds: culprit(instance.task_id, reason, tasks) };
  }
  if (state === "failed" || state === "up_for_retry") {
    return said(error(last) ?? reason);
  }
  if (state === "ready" || state === "queued") return said(blocked ?? reason);
  return state === "running" || state === "success" ? said(byPerson(reason)) : said(reason);
}

function said(text: string | null): Why | null {
  if (!text) return null;
  if (/\bpool\b|places of the agents|no agent/.test(text))
    return { text, holds: { kind: "slots" } };
  if (/^DAG paused/.test(text)) return { text, holds: { kind: "dag" } };
  return { text, holds: null };
}

function error(attempt: Instance["history"][number] | undefined): string | null {
  if (!attempt) return null;
  const { cause, detail } = attempt;
  const first = detail?.trim().split("\n").at(-1) ?? null;
  // An exception has said its name already; a time-out or a lost agent has not.
  if (!first || !cause || cause === "exception" || first.startsWith(cause)) return first ?? cause;
  return `${cause}: ${first}`;
}

/** What a person did is worth telling even when all is well. */
function byPerson(reason: string | null): string | null {
  return reason && /\b(?:marked|cleared)\b|mark (?:success|failed)/.test(reason) ? reason : null;
}

function awaited(taskId: string, tasks: readonly Neighbour[]): Why | null {
  const open = above(taskId, tasks).filter((task) => !settled(task));
  const first = open[0];
  if (!first) return null;
  const state = Object.keys(first.counts).find((each) => !isFinal(each)) ?? "waiting";
  const others = open.length > 1 ? ` and ${open.length - 1} more` : "";
  const holds = { kind: "task" as const, task_id: first.task_id };
  return { text: `Waits for ${first.task_id} (${stateWord(state)})${others}`, holds };
}

/** The task that the reason names, as of a branch, or the first above it that did not succeed. */
function culprit(taskId: string, reason: string | null, tasks: readonly Neighbour[]): Why["holds"] {
  const around = above(taskId, tasks);
  const bad =
    around.find((task) => reason?.includes(`\`${task.task_id}\``)) ??
    around.find((task) =>
      ["failed", "upstream_failed", "skipped", "cancelled"].some((state) => task.counts[state]),
    );
  return bad ? { kind: "task", task_id: bad.task_id } : null;
}

function above(taskId: string, tasks: readonly Neighbour[]): Neighbour[] {
  const upstream = tasks.find((task) => task.task_id === taskId)?.upstream ?? [];
  return tasks.filter((task) => upstream.includes(task.task_id));
}

function settled(task: Neighbour): boolean {
  const states = Object.keys(task.counts);
  return states.length > 0 && states.every(isFinal);
}
