import { type RefObject, useLayoutEffect, useState } from "react";
import { type Span, slotsFor, spanOf } from "@/lib/grid/window.ts";
import { STEP } from "./geometry.ts";

export interface Seen {
  down: Span;
  across: Span;
  /** So many blocks of rows are drawn at once, at most. */
  slots: number;
}

interface Grid {
  rows: number;
  columns: number;
  pitch: number;
  rowPitch: number;
  labels: number;
  head: number;
}

/**
 * Which rows and columns are worth drawing. The browser scrolls by itself; a new answer comes only
 * when the scroll has left what is drawn around the view. The offsets are read where a scroll is
 * told of, and nowhere else: read while React writes, they would cost a layout each time.
 */
export function useSeen(scroller: RefObject<HTMLElement | null>, grid: Grid): Seen {
  const size = useSize(scroller);
  const { rows, columns, pitch, rowPitch, labels, head } = grid;
  const [spans, setSpans] = useState("0 0 0 0");
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const read = () => {
      const { scrollTop, scrollLeft } = element;
      const down = spanOf(scrollTop, size.height - head, rowPitch, rows, STEP);
      const across = spanOf(scrollLeft, size.width - labels, pitch, columns, STEP);
      setSpans(`${down.first} ${down.last} ${across.first} ${across.last}`);
    };
    read();
    element.addEventListener("scroll", read, { passive: true });
    return () => element.removeEventListener("scroll", read);
  }, [scroller, size, rows, columns, pitch, rowPitch, labels, head]);
  const [top = 0, bottom = 0, left = 0, right = 0] = spans.split(" ").map(Number);
  // A grid that has become smaller is drawn before its spans are read anew.
  return {
    down: { first: Math.min(top, rows), last: Math.min(bottom, rows) },
    across: { first: Math.min(left, columns), last: Math.min(right, columns) },
    slots: slotsFor(size.height - head, rowPitch, STEP),
  };
}

function useSize(element: RefObject<HTMLElement | null>): { width: number; height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const found = element.current;
    if (!found) return;
    const read = () => setSize({ width: found.clientWidth, height: found.clientHeight });
    read();
    const observer = new ResizeObserver(read);
    observer.observe(found);
    return () => observer.disconnect();
  }, [element]);
  return size;
}
