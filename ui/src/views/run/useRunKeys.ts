import { useQuery } from "@tanstack/react-query";
import { diagnosis } from "@/api/diagnosis.ts";
import type { Diagnosis } from "@/api/types.ts";
import type { Selection } from "@/lib/selection.ts";
import { useShortcuts } from "@/state/keyboard.ts";

/** `j`, `k`: from error to error. */
export function useRunKeys(
  run: string,
  selection: Selection,
  select: (next: Selection) => void,
): void {
  const errors = useQuery(diagnosis(run)).data?.errors ?? [];
  const turn = (by: number) => {
    const next = nextError(errors, selection, by);
    if (next) select(next);
  };
  useShortcuts([
    { keys: "j", does: "Next error", run: () => turn(1) },
    { keys: "k", does: "Previous error", run: () => turn(-1) },
  ]);
}

/** Where the next distinct error happened first, seen from what is selected. */
export function nextError(
  errors: Diagnosis["errors"],
  selection: Selection,
  by: number,
): Selection | null {
  if (errors.length === 0) return null;
  const at = errors.findIndex(
    ({ first }) => first.task_id === selection.task && first.map_index === (selection.map ?? -1),
  );
  const start = by > 0 ? 0 : errors.length - 1;
  const first = errors[at < 0 ? start : (at + by + errors.length) % errors.length]?.first;
  if (!first) return null;
  return {
    task: first.task_id,
    map: first.map_index < 0 ? undefined : first.map_index,
    try: first.attempt,
  };
}
