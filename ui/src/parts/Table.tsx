import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import styles from "./Table.module.css";

export interface Column<T> {
  key: string;
  head: ReactNode;
  /** A track of a CSS grid: `minmax(0, 1fr)`, `120px`. */
  width: string;
  cell: (item: T) => ReactNode;
  end?: boolean;
  /** In a table of natural height its text may take several lines. */
  wraps?: boolean;
  /** Left out where the page is narrow. */
  secondary?: boolean;
}

interface Props<T> {
  /** What the rows are, for who cannot see them: "Runs". */
  label: string;
  columns: readonly Column<T>[];
  items: readonly T[];
  id: (item: T) => string;
  /** Called when the end comes into view, for the next page. */
  more?: () => void;
  hasMore?: boolean;
  /** In the height of its rows, for short lists within a page; else it fills its place and scrolls. */
  natural?: boolean;
}

const ROW_PX = 32;
const NARROW_PX = 720;

/** Rows of 32 px under a head that stays. Only those in sight are in the document. */
export function Table<T>(props: Props<T>) {
  const { label, items, id, more, hasMore, natural } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const columns = useFitting(scroller, props.columns);
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
    enabled: !natural,
    getItemKey: (index) => id(items[index] as T),
  });
  const shown = natural ? [] : virtual.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (hasMore && last >= items.length - 20) more?.();
  }, [hasMore, last, items.length, more]);

  const tracks = columns.map((column) => column.width).join(" ");
  return (
    // A region that scrolls must be reachable by keyboard.
    <div
      ref={scroller}
      className={`${styles.scroller} ${natural ? styles.natural : ""}`}
      tabIndex={natural ? undefined : 0}
      role={natural ? undefined : "region"}
      aria-label={natural ? undefined : label}
    >
      <div
        className={styles.table}
        role="table"
        aria-label={label}
        aria-rowcount={items.length + 1}
      >
        <Head columns={columns} tracks={tracks} />
        {natural ? (
          <div role="rowgroup">
            {items.map((item) => (
              <Row key={id(item)} item={item} columns={columns} tracks={tracks} />
            ))}
          </div>
        ) : (
          <div
            role="rowgroup"
            className={`${styles.rows} ${styles.virtual}`}
            style={{ height: virtual.getTotalSize() }}
          >
            {shown.map(({ key, index, start }) => (
              <Row
                key={key}
                item={items[index] as T}
                index={index}
                columns={columns}
                tracks={tracks}
                start={start}
              />
            ))}
          </div>
        )}
      </div>
    </div>
  );
}

function Head<T>({ columns, tracks }: { columns: readonly Column<T>[]; tracks: string }) {
  return (
    <div role="rowgroup">
      <div role="row" className={styles.head} style={{ gridTemplateColumns: tracks }}>
        {columns.map((column) => (
          <div
            key={column.key}
            role="columnheader"
            className={`${styles.cell} ${column.end ? styles.end : ""}`}
          >
            {column.head}
          </div>
        ))}
      </div>
    </div>
  );
}

interface RowProps<T> {
  item: T;
  columns: readonly Column<T>[];
  tracks: string;
  /** Of a row among many, of which only some are in the document. */
  index?: number;
  /** Where it lies in the table, in pixels from the top. */
  start?: number;
}

/** Drawn once: a table is rendered with each frame while it is scrolled. */
const Row = memo(function Row<T>({ item, columns, tracks, index, start }: RowProps<T>) {
  return (
    <div
      role="row"
      aria-rowindex={index === undefined ? undefined : index + 2}
      className={styles.row}
      data-link
      style={{
        gridTemplateColumns: tracks,
        transform: start === undefined ? undefined : `translateY(${start}px)`,
      }}
    >
      {columns.map((column) => (
        <div
          key={column.key}
          role="cell"
          className={`${styles.cell} ${column.end ? styles.end : ""} ${column.wraps ? styles.wraps : ""}`}
        >
          {column.cell(item)}
        </div>
      ))}
    </div>
  );
}) as <T>(props: RowProps<T>) => ReactNode;

/** The columns that the width has room for. */
function useFitting<T>(
  scroller: React.RefObject<HTMLDivElement | null>,
  columns: readonly Column<T>[],
): readonly Column<T>[] {
  const [narrow, setNarrow] = useState(() => window.innerWidth < NARROW_PX);
  useEffect(() => {
    if (!scroller.current) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setNarrow(entry.contentRect.width < NARROW_PX);
    });
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, [scroller]);
  return useMemo(
    () => (narrow ? columns.filter((column) => !column.secondary) : columns),
    [narrow, columns],
  );
}
