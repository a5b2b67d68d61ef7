import { type RefObject, useLayoutEffect, useState, useSyncExternalStore } from "react";
import { type Span, spanOf } from "@/lib/grid/window.ts";
import { STEP } from "./geometry.ts";

export interface Seen {
  down: Span;
  across: Span;
  width: number;
  height: number;
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
 * when the scroll has left what is drawn around the view.
 */
export function useSeen(scroller: RefObject<HTMLElement | null>, grid: Grid): Seen {
  const size = useSize(scroller);
  const { rows, columns, pitch, rowPitch, labels, head } = grid;
  const read = () => {
    const { scrollTop = 0, scrollLeft = 0 } = scroller.current ?? {};
    const down = spanOf(scrollTop, size.height - head, rowPitch, rows, STEP);
    const across = spanOf(scrollLeft, size.width - labels, pitch, columns, STEP);
    return `${down.first} ${down.last} ${across.first} ${across.last}`;
  };
  const spans = useSyncExternalStore((tell) => {
    const element = scroller.current;
    element?.addEventListener("scroll", tell, { passive: true });
    return () => element?.removeEventListener("scroll", tell);
  }, read);
  const [top = 0, bottom = 0, left = 0, right = 0] = spans.split(" ").map(Number);
  return { down: { first: top, last: bottom }, across: { first: left, last: right }, ...size };
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
