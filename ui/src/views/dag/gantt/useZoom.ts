import { type PointerEvent, type RefObject, useEffect, useRef, useState } from "react";
import type { Scale } from "@/lib/gantt/bars.ts";
import { movedBy, type Span, zoomedBy } from "@/lib/gantt/zoom.ts";

const WHEEL = 0.0025;
const CLICK_PX = 6; // less is no drag

/**
 * Hands and wheel on the time axis: a drag along the axis shows that part, Ctrl and the wheel go
 * nearer and farther where the pointer is, Shift and the wheel earlier and later.
 */
export function useZoom(
  scroller: RefObject<HTMLDivElement | null>,
  whole: Span,
  scale: Scale,
  labels: number,
  show: (part: Span) => void,
) {
  const [drag, setDrag] = useState<{ from: number; to: number } | null>(null);
  const now = useRef({ whole, scale, labels, show });
  now.current = { whole, scale, labels, show };
  const begun = useRef<number | null>(null);

  useEffect(() => {
    const found = scroller.current;
    const onWheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey) return;
      event.preventDefault();
      const { whole, scale, labels, show } = now.current;
      const by = event.deltaY || event.deltaX;
      if (event.shiftKey) return show(movedBy(scale, by * WHEEL * 0.5, whole));
      const left = (event.currentTarget as HTMLElement).getBoundingClientRect().left + labels;
      const at = momentAt(event.clientX - left, scale);
      show(zoomedBy(scale, Math.exp(by * WHEEL), at));
    };
    found?.addEventListener("wheel", onWheel, { passive: false });
    return () => found?.removeEventListener("wheel", onWheel);
  }, [scroller]);

  const xOf = (event: PointerEvent) =>
    event.clientX - event.currentTarget.getBoundingClientRect().left - labels;
  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0 || xOf(event) < 0) return;
    begun.current = xOf(event);
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const onPointerMove = (event: PointerEvent) => {
    const from = begun.current;
    if (from === null) return;
    const to = xOf(event);
    setDrag({ from: Math.max(0, Math.min(from, to)), to: Math.max(from, to) });
  };
  const onPointerUp = () => {
    begun.current = null;
    setDrag(null);
    if (drag && drag.to - drag.from >= CLICK_PX)
      show({ from: momentAt(drag.from, scale), to: momentAt(drag.to, scale) });
  };
  return { drag, hand: { onPointerDown, onPointerMove, onPointerUp } };
}

function momentAt(x: number, scale: Scale): number {
  return scale.from + (x / scale.width) * (scale.to - scale.from);
}
