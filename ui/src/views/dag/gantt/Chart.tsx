import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  type PointerEvent,
  useEffect,
  useEffectEvent,
  useRef,
  useState,
} from "react";
import type { Row } from "@/lib/gantt/bars.ts";
import type { Span } from "@/lib/gantt/zoom.ts";
import type { Selection } from "@/lib/selection.ts";
import { Axis } from "./Axis.tsx";
import { BarRow, ROW } from "./BarRow.tsx";
import { BarTip } from "./BarTip.tsx";
import styles from "./Gantt.module.css";
import { useWidth } from "./useWidth.ts";
import { useZoom } from "./useZoom.ts";

interface Props {
  rows: readonly Row[];
  /** All of the run's time, and the part of it that is seen. */
  whole: Span;
  part: Span | null;
  show: (part: Span) => void;
  now: number;
  running: boolean;
  selection: Selection;
  choose: (row: Row) => void;
}

const MARGIN = 24;

/** Rows by time; only those in sight are in the document. */
export function Chart(props: Props) {
  const { rows, whole, part, show, now, running, selection, choose } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const width = useWidth(scroller);
  const labels = width < 640 ? 132 : 264;
  const scale = { ...(part ?? whole), width: Math.max(160, width - labels - MARGIN) };
  const zoom = useZoom(scroller, whole, scale, labels, show);
  const [reached, setReached] = useState(0);
  const [tip, setTip] = useState<{ row: Row; x: number; y: number } | null>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 10,
  });
  const chosen = selection.task ? rows.findIndex((row) => isSelected(row, selection)) : -1;
  const scrollTo = useEffectEvent((index: number) => virtual.scrollToIndex(index));
  // biome-ignore lint/correctness/useExhaustiveDependencies: when the drawer opens beside it, too
  useEffect(() => {
    if (chosen >= 0) scrollTo(chosen);
  }, [selection.task, selection.map, chosen < 0, width]);
  const rowAt = (target: EventTarget) => {
    const index = (target as Element).closest("button")?.dataset.index;
    return index === undefined ? undefined : rows[Number(index)];
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20 };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const to = Math.min(rows.length - 1, Math.max(0, reached + step));
    setReached(to);
    virtual.scrollToIndex(to);
    requestAnimationFrame(() =>
      scroller.current
        ?.querySelector<HTMLElement>(`[data-index="${to}"]`)
        ?.focus({ preventScroll: true }),
    );
  };
  const onPointerMove = (event: PointerEvent) => {
    const row = event.pointerType === "touch" ? undefined : rowAt(event.target);
    setTip(row ? { row, x: event.clientX, y: event.clientY } : null);
  };
  const height = virtual.getTotalSize();
  return (
    <div
      ref={scroller}
      className={styles.chart}
      data-part={part !== null}
      role="group"
      aria-label={`${rows.length} task instances by time`}
      onKeyDown={onKeyDown}
      onPointerMove={onPointerMove}
      onPointerLeave={() => setTip(null)}
      onClick={(event) => {
        const row = rowAt(event.target);
        if (row) choose(row);
      }}
    >
      <div className={styles.plane} style={{ height: height + 32 }}>
        <Axis
          scale={scale}
          labels={labels}
          height={height}
          now={running && now <= scale.to ? now : null}
          drag={zoom.drag}
          hand={zoom.hand}
        />
        <div className={styles.rows} style={{ height }}>
          {virtual.getVirtualItems().map(({ index }) => {
            const row = rows[index] as Row;
            return (
              <BarRow
                key={row.id}
                row={row}
                index={index}
                scale={scale}
                now={now}
                labels={labels}
                selected={isSelected(row, selection)}
                reached={index === reached}
              />
            );
          })}
        </div>
      </div>
      {tip && <BarTip {...tip} now={now} />}
    </div>
  );
}

function isSelected({ bar }: Row, { task, map }: Selection): boolean {
  return bar.task_id === task && (map === undefined || map === bar.map_index);
}
