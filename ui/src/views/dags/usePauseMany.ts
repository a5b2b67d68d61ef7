import { useMutation, useQueryClient } from "@tanstack/react-query";
import { request } from "@/api/request.ts";
import { counted } from "@/lib/count.ts";
import { messageOf } from "@/parts/ErrorState.tsx";
import { say, sayUndoable } from "@/state/toasts.ts";

interface Wish {
  dags: readonly string[];
  pause: boolean;
}

const AT_ONCE = 4;

/** A refusal of one does not stop the others, and is told. What was done can be undone. */
export function usePauseMany() {
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: async ({ dags, pause }: Wish) => {
      const left = [...dags];
      const [done, refused]: [string[], unknown[]] = [[], []];
      const work = async () => {
        for (let dag = left.shift(); dag !== undefined; dag = left.shift()) {
          try {
            await request("post", pause ? "/dags/{dag_id}/pause" : "/dags/{dag_id}/resume", {
              path: { dag_id: dag },
            });
            done.push(dag);
          } catch (error) {
            refused.push(error);
          }
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      return { done, refused };
    },
    onSuccess: ({ done, refused }, { pause }) => {
      if (done.length > 0)
        sayUndoable(`${pause ? "Paused" : "Resumed"} ${counted(done.length, "DAG")}`, () =>
          change.mutate({ dags: done, pause: !pause }),
        );
      if (refused.length > 0)
        say("failed", `${counted(refused.length, "DAG")} refused: ${messageOf(refused[0])}`);
    },
    onSettled: () => {
      for (const noun of ["dags", "dag", "overview"])
        queries.invalidateQueries({ queryKey: [noun] });
    },
  });
  return change;
}
