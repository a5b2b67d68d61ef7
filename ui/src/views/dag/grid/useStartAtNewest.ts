import { type RefObject, useLayoutEffect, useRef } from "react";
import type { GridRun } from "@/api/types.ts";

/** At first the newest runs are seen; when older ones come, what was seen stays where it was. */
export function useStartAtNewest(
  scroller: RefObject<HTMLDivElement | null>,
  runs: readonly GridRun[],
  pitch: number,
): void {
  const before = useRef<{ oldest: string; pitch: number } | null>(null);
  useLayoutEffect(() => {
    const view = scroller.current;
    const oldest = runs[0]?.run_id;
    if (!view || !oldest) return;
    const known = before.current;
    before.current = { oldest, pitch };
    const added = known ? runs.findIndex((run) => run.run_id === known.oldest) : -1;
    if (!known || known.pitch !== pitch) view.scrollLeft = view.scrollWidth;
    else if (added > 0) view.scrollLeft += added * pitch;
  }, [scroller, runs, pitch]);
}
