import { type PointerEvent, type RefObject, useEffect, useState } from "react";
import type { Place } from "@/lib/grid/keys.ts";
import { HEAD } from "./geometry.ts";
import type { SurfaceProps } from "./Surface.tsx";

interface Frame {
  left: number;
  pitch: number;
  rowPitch: number;
}

export interface TipAt {
  place: Place;
  x: number;
  y: number;
}

/** What lies under the pointer: row -1 is a run's bar, column -1 a name. */
export function useHover(
  scroller: RefObject<HTMLDivElement | null>,
  frame: Frame,
  size: { rows: number; columns: number },
  props: SurfaceProps,
) {
  const [tip, setTip] = useState<TipAt | null>(null);
  const clear = () => setTip(null);
  // What is under the pointer after a scroll is another cell: say nothing rather than the wrong.
  useEffect(() => {
    const element = scroller.current;
    const onScroll = () => setTip(null);
    element?.addEventListener("scroll", onScroll, { passive: true });
    return () => element?.removeEventListener("scroll", onScroll);
  }, [scroller]);

  const find = (event: { clientX: number; clientY: number }): TipAt | null => {
    const view = scroller.current;
    if (!view) return null;
    const box = view.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    if (x > view.clientWidth || y > view.clientHeight) return null;
    const column =
      x < frame.left ? -1 : Math.floor((x + view.scrollLeft - frame.left + 1) / frame.pitch);
    const row = y < HEAD ? -1 : Math.floor((y + view.scrollTop - HEAD) / frame.rowPitch);
    if (column >= size.columns || row >= size.rows || (row < 0 && column < 0)) return null;
    return { place: { row, column }, x: event.clientX, y: event.clientY };
  };

  const onPointerMove = (event: PointerEvent) => {
    if (event.pointerType === "touch") return;
    const next = find(event);
    setTip((before) =>
      before?.place.row === next?.place.row && before?.place.column === next?.place.column
        ? before
        : next,
    );
  };

  const onClick = (event: { clientX: number; clientY: number }) => {
    const place = find(event)?.place;
    if (!place) return;
    const row = props.rows[place.row];
    const run = props.runs[place.column < 0 ? props.runs.length - 1 : place.column];
    const isCell = place.column >= 0;
    if (row?.kind === "group" && row.mapped && isCell)
      props.select({ run: run?.run_id, group: row.id });
    else if (row?.kind === "group") props.toggle(row.id);
    else props.select({ run: run?.run_id, task: row?.id });
  };
  return {
    place: tip?.place ?? null,
    tip: tip && tip.place.column >= 0 ? tip : null,
    onPointerMove,
    onClick,
    clear,
  };
}
