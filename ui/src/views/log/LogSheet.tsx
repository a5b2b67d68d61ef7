import { useEffect, useRef } from "react";
import { plain } from "@/lib/ansi.ts";
import { inSight, rangeOf, type Sheet } from "@/lib/logscroll.ts";
import { rowsOf } from "@/lib/logwindow.ts";
import { LogRow } from "./LogRow.tsx";
import styles from "./LogSheet.module.css";
import type { Source } from "./useLog.ts";
import { useSheet } from "./useSheet.ts";
import { useSize } from "./useSize.ts";

const ROW_PX = 20;
const [GUTTER_CHARS, STAMP_CHARS] = [12, 14]; // beside the text, with their margins
const NARROW_CHARS = 78; // below it the text has the place of the clock

export interface Marks {
  /** Lines that the URL, or a failure, points at; counted from 1. */
  first: number;
  last: number;
}

/** The lines in sight, and a scroll bar that stands for all of them. */
export function LogSheet({
  source,
  wrap,
  needle,
  marks,
  goal,
  follow,
  setFollow,
  pick,
}: {
  source: Source;
  wrap: boolean;
  needle: string;
  marks: Marks | null;
  /** The place to be at, counted from 0; a new object goes there again. */
  goal: { index: number } | null;
  follow: boolean;
  setFollow: (follow: boolean) => void;
  pick?: (line: number, extend: boolean) => void;
}) {
  const scroller = useRef<HTMLElement>(null);
  const ruler = useRef<HTMLSpanElement>(null);
  const { height, columns } = useSize(scroller, ruler);
  const { lines, at, want } = source;
  const narrow = columns < NARROW_CHARS;
  const sheet: Sheet = {
    lines,
    view: height,
    row: ROW_PX,
    wraps: wrap,
    heightOf: (index) => {
      const line = wrap ? at(index) : null;
      if (!line) return ROW_PX;
      const room = columns - GUTTER_CHARS - (line.at && !narrow ? STAMP_CHARS : 0);
      return rowsOf(plain(line.text), room) * ROW_PX;
    },
  };
  const { place, onScroll, goTo } = useSheet(scroller, sheet, follow, setFollow);
  const { from, to } = inSight(sheet, place);
  useEffect(() => want(from, to), [want, from, to]);

  const ready = lines > 0 && height > 0;
  useEffect(() => {
    if (goal && ready) goTo(goal.index);
  }, [goal, ready, goTo]);

  const rows = [];
  for (let index = from; index < to; index += 1) {
    const number = source.numberOf(index);
    rows.push(
      <LogRow
        key={number}
        number={number}
        line={at(index)}
        needle={needle}
        marked={marks !== null && number >= marks.first && number <= marks.last}
        pick={pick}
      />,
    );
  }
  return (
    <section
      ref={scroller}
      className={`${styles.scroller} ${wrap ? styles.wrap : ""} ${narrow ? styles.narrow : ""}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      aria-label="Log"
      data-follows={follow || undefined}
      onScroll={onScroll}
    >
      <span ref={ruler} className={styles.ruler} aria-hidden>
        {"0".repeat(100)}
      </span>
      <div style={{ height: rangeOf(sheet) }}>
        <div className={styles.window} data-plane style={{ height }}>
          <div style={{ transform: `translateY(${-place.offset}px)` }}>{rows}</div>
        </div>
      </div>
    </section>
  );
}
