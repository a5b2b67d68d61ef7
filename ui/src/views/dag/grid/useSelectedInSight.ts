import { type RefObject, useEffect, useRef } from "react";
import { offsetToShow } from "@/lib/grid/window.ts";
import { HEAD } from "./geometry.ts";
import type { SurfaceProps } from "./Surface.tsx";

/** What is selected comes into sight when it is selected, and stays there when the drawer opens beside it. */
export function useSelectedInSight(
  scroller: RefObject<HTMLDivElement | null>,
  { rows, runs, selection }: SurfaceProps,
  { left, pitch, rowPitch }: { left: number; pitch: number; rowPitch: number },
): void {
  const column = runs.findIndex((run) => run.run_id === selection.run);
  const row = rows.findIndex((one) => one.kind === "task" && one.id === selection.task);
  const place = useRef({ row, column });
  place.current = { row, column };
  // biome-ignore lint/correctness/useExhaustiveDependencies: not when rows or runs come live, but when another is selected
  useEffect(() => {
    const view = scroller.current;
    if (!view) return;
    const show = () => {
      const { row, column } = place.current;
      if (column >= 0)
        view.scrollLeft = offsetToShow(column, pitch, view.scrollLeft, view.clientWidth - left);
      if (row >= 0)
        view.scrollTop = offsetToShow(row, rowPitch, view.scrollTop, view.clientHeight - HEAD);
    };
    const observer = new ResizeObserver(show);
    observer.observe(view);
    return () => observer.disconnect();
  }, [scroller, selection.run, selection.task, left, pitch, rowPitch]);
}
