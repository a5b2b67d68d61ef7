import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, useRef } from "react";
import type { Timeline } from "@/api/types.ts";
import type { DagRow as Row } from "@/lib/timeline/rows.ts";
import { TimeAxis } from "@/parts/TimeAxis.tsx";
import { useWidth } from "@/views/dag/gantt/useWidth.ts";
import { DagRow, ROW } from "./DagRow.tsx";
import { PoolChart } from "./PoolChart.tsx";
import styles from "./Timeline.module.css";

const MARGIN = 20;
const AXIS = 32;
const POOL = 76;

/** Pools above, DAGs below, on one axis; only the rows in sight are in the document. */
export function Chart({ found, rows }: { found: Timeline; rows: readonly Row[] }) {
  const scroller = useRef<HTMLDivElement>(null);
  const width = useWidth(scroller);
  const labels = width < 640 ? 112 : 220;
  const scale = {
    from: Date.parse(found.from),
    to: Date.parse(found.to),
    width: Math.max(160, width - labels - MARGIN),
  };
  const now = Date.parse(found.now);
  const above = found.load.length * POOL;
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    scrollMargin: AXIS + above,
    overscan: 10,
  });
  const height = above + virtual.getTotalSize();
  return (
    <div
      ref={scroller}
      className={styles.chart}
      data-plane
      onKeyDown={alongRow}
      role="group"
      aria-label={`${found.load.length} pools and ${rows.length} DAGs by time`}
    >
      <div className={styles.plane} style={{ height: height + AXIS }}>
        <TimeAxis scale={scale} labels={labels} height={height} now={now} room={72} aria-hidden />
        {found.load.map((pool) => (
          <PoolChart
            key={pool.name}
            pool={pool}
            labels={labels}
            width={scale.width}
            height={POOL}
            partMs={found.part_s * 1000}
          />
        ))}
        <ul className={styles.rows} style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map(({ index }) => {
            const row = rows[index] as Row;
            return (
              <DagRow
                key={row.dag}
                row={row}
                index={index}
                scale={scale}
                labels={labels}
                now={now}
              />
            );
          })}
        </ul>
      </div>
    </div>
  );
}

/** The arrows go from the DAG's name to its bars, in the order of time, and back. */
function alongRow(event: KeyboardEvent): void {
  const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
  const row = (event.target as Element).closest("[data-row]");
  if (!step || !row) return;
  const bars = [...row.querySelectorAll<HTMLElement>("[data-bar]")];
  bars.sort((a, b) => a.offsetLeft - b.offsetLeft);
  const stops = [row.querySelector("a"), ...bars];
  const to = stops[stops.indexOf(event.target as HTMLAnchorElement) + step];
  if (!to) return;
  event.preventDefault();
  to.focus();
}
