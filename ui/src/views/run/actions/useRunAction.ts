import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Problem, path, request } from "@/api/request.ts";
import type { Run } from "@/api/types.ts";
import { type Key, sentence } from "@/lib/clear.ts";
import { messageOf } from "@/parts/ErrorState.tsx";
import { say, sayUndoable } from "@/state/toasts.ts";

/** What is to happen again. Nothing named: all of the run. */
export interface ClearWish {
  tasks: string[];
  map_indexes: number[];
  failed_only: boolean;
  downstream: boolean;
  upstream: boolean;
}

interface ClearAnswer {
  run_id: string;
  cleared: Key[];
  dry_run: boolean;
}

/** Exactly what clearing would do; nothing is done. */
export function useClearPlan(runId: string, wish: ClearWish) {
  return useQuery({
    queryKey: ["clear-plan", runId, wish],
    queryFn: ({ signal }) =>
      request<ClearAnswer>(path`/runs/${runId}/clear`, {
        method: "POST",
        body: { ...wish, dry_run: true },
        signal,
      }),
    placeholderData: (before) => before,
    staleTime: 0,
    gcTime: 0,
  });
}

export function useClear(runId: string) {
  return useRunAction(
    runId,
    (wish: ClearWish) =>
      request<ClearAnswer>(path`/runs/${runId}/clear`, { method: "POST", body: wish }),
    ({ cleared }) => sentence(cleared, "run again", "Nothing had to run again"),
  );
}

/** No task named: all of the run that it makes a difference to. */
export interface MarkWish extends Partial<Key> {
  state: "success" | "failed";
}

interface MarkPlan {
  marked: Key[];
  /** How many of them have a live attempt, which is ended first. */
  ending: number;
}

/** Exactly what a mark would reach; nothing is done. */
export function useMarkPlan(runId: string, wish: MarkWish) {
  return useQuery({
    queryKey: ["mark-plan", runId, wish],
    queryFn: ({ signal }) =>
      request<MarkPlan>(path`/runs/${runId}/mark`, {
        method: "POST",
        body: { ...wish, dry_run: true },
        signal,
      }),
    placeholderData: (before) => before,
    staleTime: 0,
    gcTime: 0,
  });
}

export function useMark(runId: string) {
  return useRunAction(
    runId,
    (wish: MarkWish) => request<Run>(path`/runs/${runId}/mark`, { method: "POST", body: wish }),
    (run, { task_id = `The run of ${run.dag_id}`, state }) => `${task_id} is marked as ${state}`,
  );
}

export function useCancel(runId: string) {
  return useRunAction(
    runId,
    () => request<Run>(path`/runs/${runId}/cancel`, { method: "POST", body: {} }),
    () => "Cancelled: what runs is told to end, what waits does not start",
  );
}

/** `before`: what stood there, for who wants it back. */
interface NoteWish {
  note: string;
  before: string;
}

export function useNote(runId: string) {
  return useRunAction(
    runId,
    ({ note }: NoteWish) =>
      request<Run>(path`/runs/${runId}`, { method: "PATCH", body: { note: note || null } }),
    (_run, { note }) => (note ? "The note is kept" : "The note is gone"),
    ({ note, before }) => ({ note: before, before: note }),
  );
}

/** Do it, say what it led to, offer the way back where there is one, and read again what shows the run. */
function useRunAction<Wish, Answer>(
  runId: string,
  act: (wish: Wish) => Promise<Answer>,
  led: (answer: Answer, wish: Wish) => string,
  inverse?: (wish: Wish) => Wish,
) {
  const queries = useQueryClient();
  const action = useMutation({
    mutationFn: act,
    onSuccess: (answer, wish) => {
      if (inverse) sayUndoable(led(answer, wish), () => action.mutate(inverse(wish)));
      else say("done", led(answer, wish));
    },
    onError: (error) =>
      say("failed", messageOf(error), error instanceof Problem ? error.hint : null),
    onSettled: () => {
      const ofRun = ["run", "run-tasks", "diagnosis", "instance", "instances", "gantt"];
      for (const what of ofRun) queries.invalidateQueries({ queryKey: [what, runId] });
      for (const what of ["runs", "grid"]) queries.invalidateQueries({ queryKey: [what] });
    },
  });
  return action;
}
