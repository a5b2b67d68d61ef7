import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Problem, path, request } from "@/api/request.ts";
import type { Run } from "@/api/types.ts";
import { type Key, sentence } from "@/lib/clear.ts";
import { messageOf } from "@/parts/ErrorState.tsx";
import { say } from "@/state/toasts.ts";

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

export interface MarkWish extends Key {
  state: "success" | "failed";
}

/** Exactly what a mark would reach; nothing is done. */
export function useMarkPlan(runId: string, wish: MarkWish) {
  return useQuery({
    queryKey: ["mark-plan", runId, wish],
    queryFn: ({ signal }) =>
      request<{ marked: Key[] }>(path`/runs/${runId}/mark`, {
        method: "POST",
        body: { ...wish, dry_run: true },
        signal,
      }),
    staleTime: 0,
    gcTime: 0,
  });
}

export function useMark(runId: string) {
  return useRunAction(
    runId,
    (wish: MarkWish) => request<Run>(path`/runs/${runId}/mark`, { method: "POST", body: wish }),
    (_run, { task_id, state }) => `${task_id} is marked as ${state}`,
  );
}

export function useCancel(runId: string) {
  return useRunAction(
    runId,
    () => request<Run>(path`/runs/${runId}/cancel`, { method: "POST", body: {} }),
    () => "Cancelled: what runs is told to end, what waits does not start",
  );
}

export function useNote(runId: string) {
  return useRunAction(
    runId,
    (note: string) =>
      request<Run>(path`/runs/${runId}`, { method: "PATCH", body: { note: note || null } }),
    (_run, note) => (note ? "The note is kept" : "The note is gone"),
  );
}

/** Do it, say what it led to, and read again what shows the run. */
function useRunAction<Wish, Answer>(
  runId: string,
  act: (wish: Wish) => Promise<Answer>,
  led: (answer: Answer, wish: Wish) => string,
) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: (answer, wish) => say("done", led(answer, wish)),
    onError: (error) =>
      say("failed", messageOf(error), error instanceof Problem ? error.hint : null),
    onSettled: () => {
      const ofRun = ["run", "run-tasks", "diagnosis", "instance", "instances", "gantt"];
      for (const what of ofRun) queries.invalidateQueries({ queryKey: [what, runId] });
      for (const what of ["runs", "grid"]) queries.invalidateQueries({ queryKey: [what] });
    },
  });
}
