import { useMutation, useQueryClient } from "@tanstack/react-query";
import { request } from "@/api/request.ts";
import type { Question } from "@/api/types.ts";

/** What a person chose and filled in. */
export interface Given {
  chosen_options: string[];
  params_input: Record<string, unknown>;
}

/** Answer a question of the team. It is bound to what was read: one that is asked anew is not answered. */
export function useAnswer({ run_id, task_id, map_index, id }: Question) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (given: Given) =>
      request("post", "/runs/{run_id}/task-instances/{task_id}/answer", {
        path: { run_id, task_id },
        body: { ...given, map_index, question: id },
      }),
    onSuccess: (instance) => {
      queries.setQueryData(["instance", run_id, task_id, map_index], instance);
    },
    onSettled: () => {
      queries.invalidateQueries({ queryKey: ["questions"] });
      queries.invalidateQueries({ queryKey: ["instance", run_id, task_id, map_index] });
      queries.invalidateQueries({ queryKey: ["run", run_id] });
      queries.invalidateQueries({ queryKey: ["run-tasks", run_id] });
    },
  });
}
