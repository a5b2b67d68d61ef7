import {
  type PointerEvent,
  type RefObject,
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type { Layout } from "@/lib/graph/layout.ts";
import {
  beginningOf,
  type Extent,
  fitted,
  opening,
  panned,
  showing,
  type Viewport,
  zoomed,
} from "@/lib/graph/viewport.ts";

const WHEEL = 0.0022;

/** What is seen of the graph: dragged and scrolled to move, pinched or Ctrl-scrolled to zoom. */
export function useViewport(
  element: RefObject<HTMLDivElement | null>,
  layout: Layout,
  selected: Extent | undefined,
) {
  const [view, setView] = useState<Viewport | null>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const drag = useRef<{ x: number; y: number } | null>(null);

  useLayoutEffect(() => {
    const found = element.current;
    if (!found) return;
    const read = () => setSize({ width: found.clientWidth, height: found.clientHeight });
    read();
    const observer = new ResizeObserver(read);
    observer.observe(found);
    return () => observer.disconnect();
  }, [element]);

  useEffect(() => {
    if (size.width === 0) return;
    const { width, height } = size;
    // Also when the drawer opens beside it: what is selected stays in sight.
    setView((now) => {
      const from = now ?? opening(layout, width, height, beginningOf(layout));
      return selected ? showing(from, selected, width, height) : from;
    });
  }, [layout, size, selected]);

  useEffect(() => {
    const found = element.current;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
      const at = { x: event.clientX - box.left, y: event.clientY - box.top };
      setView((now) => {
        if (!now) return now;
        if (event.ctrlKey || event.metaKey)
          return zoomed(now, Math.exp(-event.deltaY * WHEEL * 4), at);
        return panned(now, -event.deltaX, -event.deltaY);
      });
    };
    found?.addEventListener("wheel", onWheel, { passive: false });
    return () => found?.removeEventListener("wheel", onWheel);
  }, [element]);

  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0 || (event.target as Element).closest("button")) return;
    drag.current = { x: event.clientX, y: event.clientY };
    event.currentTarget.setPointerCapture(event.pointerId);
  };
  const onPointerMove = (event: PointerEvent) => {
    const from = drag.current;
    if (!from) return;
    drag.current = { x: event.clientX, y: event.clientY };
    setView((now) => now && panned(now, event.clientX - from.x, event.clientY - from.y));
  };
  const onPointerUp = () => {
    drag.current = null;
  };

  const zoom = useCallback(
    (factor: number) =>
      setView((now) => now && zoomed(now, factor, { x: size.width / 2, y: size.height / 2 })),
    [size],
  );
  const fit = useCallback(() => {
    setView(fitted(layout, size.width, size.height));
  }, [layout, size]);
  return { view, setView, size, zoom, fit, hand: { onPointerDown, onPointerMove, onPointerUp } };
}
