import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import {
  barOf,
  centred,
  endOf,
  isAtEnd,
  isExact,
  moved,
  type Place,
  placeOf,
  rangeOf,
  type Sheet,
  TOP,
} from "@/lib/logscroll.ts";

const SETTLE_MS = 160;

/**
 * A log in a scroller. Scrolling by little moves the text by as many pixels; a leap of the scroll
 * bar goes where the bar stands. When it has settled, the bar is put where the text is.
 */
export function useSheet(
  scroller: RefObject<HTMLElement | null>,
  sheet: Sheet,
  follow: boolean,
  setFollow: (follow: boolean) => void,
) {
  const [place, setPlace] = useState<Place>(TOP);
  const bar = useRef(0);
  const settling = useRef<ReturnType<typeof setTimeout>>(undefined);
  const now = useRef({ sheet, place });
  now.current = { sheet, place };

  const align = useCallback(() => {
    const element = scroller.current;
    if (!element) return;
    const wanted = roomy(now.current.sheet, now.current.place);
    if (Math.abs(element.scrollTop - wanted) > 1) element.scrollTop = wanted;
    bar.current = element.scrollTop;
  }, [scroller]);

  const go = useCallback((next: Place) => {
    now.current.place = next;
    setPlace(next);
  }, []);

  const goTo = useCallback(
    (line: number) => {
      go(centred(now.current.sheet, line));
      align();
    },
    [go, align],
  );

  const onScroll = useCallback(() => {
    const element = scroller.current;
    if (!element || Math.abs(element.scrollTop - bar.current) < 1) return;
    const { sheet: current, place: from } = now.current;
    const delta = element.scrollTop - bar.current;
    const leap = isExact(current) || Math.abs(delta) > current.view * 1.5;
    bar.current = element.scrollTop;
    const next = leap ? placeOf(current, bar.current) : moved(current, from, delta);
    go(next);
    setFollow(isAtEnd(current, next));
    clearTimeout(settling.current);
    settling.current = setTimeout(align, SETTLE_MS);
    const room = rangeOf(current) - current.view;
    if (bar.current <= 0 || bar.current >= room) align();
  }, [scroller, align, go, setFollow]);

  // The end moves when lines come, when the view is resized, and when what came turns out to wrap.
  const { lines, view } = sheet;
  const { line: endLine, offset: endOffset } = endOf(sheet);
  useLayoutEffect(() => {
    if (lines === 0 || view === 0) return;
    const beyond = now.current.place.line > endLine;
    if (follow || beyond) go({ line: endLine, offset: endOffset });
    align();
  }, [lines, view, endLine, endOffset, follow, go, align]);
  useEffect(() => () => clearTimeout(settling.current), []);
  return { place, onScroll, goTo };
}

/** Where the bar stands: at an end only when the text is, so that there is always room to go on. */
function roomy(sheet: Sheet, place: Place): number {
  const wanted = barOf(sheet, place);
  if (isExact(sheet)) return wanted;
  const room = rangeOf(sheet) - sheet.view;
  const least = Math.min(sheet.view * 2, room / 3);
  if (place.line === 0 && place.offset === 0) return 0;
  if (isAtEnd(sheet, place)) return room;
  return Math.min(room - least, Math.max(least, wanted));
}
