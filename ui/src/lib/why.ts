import type { Attempt, Reason, RunTask, TaskInstanceDetail } from "@/api/types.ts";
import { headlineOf } from "./causes.ts";
import { isFinal, stateWord } from "./states.ts";

/** What to look at next: a page, the DAG, or another task of the run. */
export type Holds =
  | { kind: "slots" }
  | { kind: "components" }
  | { kind: "backfills" }
  | { kind: "dag" }
  | { kind: "task"; task_id: string }
  | null;

/** Why a task instance is in its state, and what holds it there. */
export interface Why {
  text: string;
  holds: Holds;
}

type Instance = Pick<
  TaskInstanceDetail,
  "task_id" | "state" | "blocked_reason" | "reason" | "why"
> & { history: readonly Pick<Attempt, "cause" | "detail">[] };
type Ruled = NonNullable<Extract<Reason, { kind: "given_up" }>["by"]>;
type Neighbour = Pick<RunTask, "task_id" | "upstream" | "counts">;

/** One sentence; null when the state says it all. `tasks` are those of its run. */
export function why(instance: Instance, tasks: readonly Neighbour[]): Why | null {
  const { state, task_id, why: facts } = instance;
  const text = instance.blocked_reason ?? instance.reason;
  const holds = facts && holdsOf(facts);
  const told = text === null ? null : { text, holds };
  switch (state) {
    case "waiting":
      // In a loop the states of its neighbours are of all iterations; the reason is of its own.
      if (facts?.kind === "awaits_iteration") return told;
      return awaited(task_id, tasks) ?? told;
    case "upstream_failed":
    case "skipped":
      return { text: text ?? stateWord(state), holds: holds ?? culprit(task_id, tasks) };
    case "failed":
    case "up_for_retry": {
      if (facts && retryRule(facts)) return told;
      const said = error(instance.history[0]);
      return said === null ? told : { text: said, holds: null };
    }
    case "running":
    case "success":
      return facts && isByPerson(facts) ? told : null;
    default:
      return told;
  }
}

/** What decided on a retry, if not the task's own number of retries; with it the number that is allowed. */
export function retryRule(reason: Reason): { by: Ruled; retries: number } | null {
  if (reason.kind !== "attempt_failed" && reason.kind !== "given_up") return null;
  return reason.by ? { by: reason.by, retries: reason.retries ?? 0 } : null;
}

/** What a reason is about, by its kind; a new kind does not compile before it is said here. */
export function holdsOf(reason: Reason): Holds {
  switch (reason.kind) {
    case "pool_full":
    case "pool_missing":
    case "pool_empty":
    case "pool_too_small":
    case "pool_turn":
    case "pool_shared":
    case "pool_not_shared":
    case "team_slots":
    case "pool_resized":
      return { kind: "slots" };
    case "no_agent":
    case "agents_full":
    case "queue_unserved":
    case "executor_unknown":
    case "no_scheduler":
    case "not_seen":
      return { kind: "components" };
    case "quota_full":
    case "pod_pending":
    case "pod_refused":
    case "warm_starting":
      return null;
    case "backfill_full":
    case "backfill_paused":
      return { kind: "backfills" };
    case "dag_paused":
    case "max_active_runs":
    case "held_by_run":
    case "skipped_by_strategy":
    case "not_created":
    case "file_gone":
    case "no_schedule":
    case "runs_once":
    case "runs_continuously":
    case "no_dates_left":
    case "awaits_assets":
    case "awaits_partitions":
    case "end_date":
      return { kind: "dag" };
    case "rule_not_met":
    case "leaves_failed":
      return task(reason.tasks[0]);
    case "not_chosen":
      return task(reason.branch);
    case "failed_fast":
    case "source_not_successful":
    case "setup_not_successful":
    case "not_a_list":
      return task(reason.task);
    case "awaits_iteration":
      return task(reason.awaits?.[0] ?? reason.gate);
    case "max_active_tasks":
    case "max_active_tis_per_dagrun":
    case "max_active_tis_per_dag":
    case "awaits_past":
    case "set_aside":
    case "handed_over":
    case "rule_met":
    case "skipped_itself":
    case "mapped_over_nothing":
    case "too_many_items":
    case "too_many_tasks":
    case "item_gone":
    case "iteration_gone":
    case "granted":
    case "started":
    case "attempt_failed":
    case "given_up":
    case "lost_too_often":
    case "retry_over":
    case "awaits_date":
    case "awaits_time":
    case "awaits_asset":
    case "awaits_run":
    case "awaits_trigger":
    case "awaits_answer":
    case "late_partition":
    case "overdue_partition":
    case "answered":
    case "answered_by_default":
    case "rejected":
    case "wait_over":
    case "wait_timed_out":
    case "upstream_changed":
    case "code_changed":
    case "task_removed":
    case "cleared":
    case "marked":
    case "cancelled":
    case "run_started":
    case "run_timed_out":
    case "leaves_succeeded":
    case "created":
    case "about":
    case "text":
      return null;
    default:
      return unknown(reason);
  }
}

/** A page that is older than its server meets kinds that it does not know. */
function unknown(_reason: never): null {
  return null;
}

function task(task_id: string | undefined): Holds {
  return task_id ? { kind: "task", task_id } : null;
}

/** What a person did is worth telling even when all is well. */
function isByPerson({ kind }: Reason): boolean {
  return ["marked", "cleared", "cancelled", "answered", "answered_by_default"].includes(kind);
}

function error(attempt: Instance["history"][number] | undefined): string | null {
  if (!attempt) return null;
  const { cause, detail } = attempt;
  const first = detail ? headlineOf(detail) : null;
  // An exception has said its name already; a time-out or a lost agent has not.
  if (!first || !cause || cause === "exception" || first.startsWith(cause)) return first ?? cause;
  return `${cause}: ${first}`;
}

function awaited(taskId: string, tasks: readonly Neighbour[]): Why | null {
  const direct = above(taskId, tasks).filter((each) => !settled(each));
  // A short circuit further up that runs again decides on everything below it.
  const open = direct.length ? direct : ancestors(taskId, tasks).filter((each) => !settled(each));
  const first = open[0];
  if (!first) return null;
  const state = Object.keys(first.counts).find((each) => !isFinal(each)) ?? "waiting";
  const others = open.length > 1 ? ` and ${open.length - 1} more` : "";
  return {
    text: `Waiting for ${first.task_id} (${stateWord(state)})${others}`,
    holds: task(first.task_id),
  };
}

/** The first task above it that did not succeed, where a sentence of old has no facts. */
function culprit(taskId: string, tasks: readonly Neighbour[]): Holds {
  const bad = above(taskId, tasks).find((each) =>
    ["failed", "upstream_failed", "skipped", "cancelled"].some((state) => each.counts[state]),
  );
  return task(bad?.task_id);
}

function ancestors(taskId: string, tasks: readonly Neighbour[]): Neighbour[] {
  const byId = new Map(tasks.map((each) => [each.task_id, each]));
  const found = new Set<string>();
  const stack = [taskId];
  for (let at = stack.pop(); at !== undefined; at = stack.pop())
    for (const up of byId.get(at)?.upstream ?? [])
      if (!found.has(up)) {
        found.add(up);
        stack.push(up);
      }
  return tasks.filter((each) => found.has(each.task_id));
}

function above(taskId: string, tasks: readonly Neighbour[]): Neighbour[] {
  const upstream = tasks.find((each) => each.task_id === taskId)?.upstream ?? [];
  return tasks.filter((each) => upstream.includes(each.task_id));
}

function settled({ counts }: Neighbour): boolean {
  const states = Object.keys(counts);
  return states.length > 0 && states.every(isFinal);
}
