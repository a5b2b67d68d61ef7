import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { made, preview } from "@/api/preview.ts";
import { Problem, request } from "@/api/request.ts";
import type { ClearRequest, MarkRequest } from "@/api/types.ts";
import { sentence } from "@/lib/clear.ts";
import { messageOf } from "@/parts/ErrorState.tsx";
import { say, sayUndoable } from "@/state/toasts.ts";

export type Code = "run" | "latest";

/** What is to happen again, with which code. No task named: all of the run, or what failed with one error. */
export type ClearWish = Required<Omit<ClearRequest, "dry_run" | "code" | "error">> & {
  code?: Code;
  error?: string;
};

/** Exactly what clearing would do; nothing is done. */
export function useClearPlan(runId: string, wish: ClearWish) {
  return useQuery({
    queryKey: ["clear-plan", runId, wish],
    queryFn: ({ signal }) =>
      request("post", "/runs/{run_id}/clear", {
        path: { run_id: runId },
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
      request("post", "/runs/{run_id}/clear", { path: { run_id: runId }, body: wish }),
    ({ cleared }) => sentence(cleared, "run again", "No tasks had to run again"),
  );
}

/** No task named: all of the run that it makes a difference to. */
export type MarkWish = Omit<MarkRequest, "dry_run">;

/** Exactly what a mark would reach; nothing is done. */
export function useMarkPlan(runId: string, wish: MarkWish) {
  return useQuery({
    queryKey: ["mark-plan", runId, wish],
    queryFn: async ({ signal }) => {
      const wanted = { path: { run_id: runId }, body: { ...wish, dry_run: true }, signal };
      return preview(await request("post", "/runs/{run_id}/mark", wanted));
    },
    placeholderData: (before) => before,
    staleTime: 0,
    gcTime: 0,
  });
}

export function useMark(runId: string) {
  return useRunAction(
    runId,
    async (body: MarkWish) =>
      made(await request("post", "/runs/{run_id}/mark", { path: { run_id: runId }, body })),
    (run, { task_id, state }) => `Marked ${task_id ?? `the run of ${run.dag_id}`} as ${state}`,
  );
}

export function useCancel(runId: string) {
  return useRunAction(
    runId,
    () => request("post", "/runs/{run_id}/cancel", { path: { run_id: runId } }),
    () => "Run cancelled. Running tasks are being stopped.",
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
      request("patch", "/runs/{run_id}", {
        path: { run_id: runId },
        body: { note: note || null },
      }),
    (_run, { note }) => (note ? "Note saved" : "Note removed"),
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
