import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { memo, type ReactNode, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { fitting, nextSort, type Sized, type Sort } from "@/lib/columns.ts";
import styles from "./Table.module.css";

export interface Column<T> extends Sized {
  key: string;
  head: ReactNode;
  /** `isNarrow`: other columns were left out, so that what matters of them may stand here. */
  cell: (item: T, isNarrow: boolean) => ReactNode;
  end?: boolean;
  /** Its text may take several lines, and then the row is higher. */
  wraps?: boolean;
  /** The orders by this column, the one that a first click means first. */
  sorts?: readonly Sort[];
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
  /** The order that the list has, and how to ask for another. */
  sort?: string;
  onSort?: (sort: string) => void;
}

const ROW_PX = 32;

/** Rows of 32 px, or higher where a column wraps, under a head that stays. Only those in sight are in the document. */
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
  const isNarrow = columns.length < props.columns.length;
  const wraps = columns.some((column) => column.wraps);
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
        <Head columns={columns} tracks={tracks} sort={props.sort} onSort={props.onSort} />
        {natural ? (
          <div role="rowgroup">
            {items.map((item) => (
              <Row
                key={id(item)}
                item={item}
                columns={columns}
                isNarrow={isNarrow}
                tracks={tracks}
              />
            ))}
          </div>
        ) : (
          <div
            role="rowgroup"
            className={`${styles.rows} ${styles.virtual} ${wraps ? styles.wrapping : ""}`}
            style={{ height: virtual.getTotalSize() }}
          >
            {shown.map(({ key, index, start }) => (
              <Row
                key={key}
                item={items[index] as T}
                index={index}
                columns={columns}
                isNarrow={isNarrow}
                tracks={tracks}
                start={start}
                measure={wraps ? virtual.measureElement : undefined}
              />
            ))}
          </div>
        )}
      </div>
    </div>
  );
}

function Head<T>({
  columns,
  tracks,
  sort = "",
  onSort,
}: Pick<Props<T>, "columns" | "sort" | "onSort"> & { tracks: string }) {
  return (
    <div role="rowgroup" className={styles.heads}>
      <div role="row" className={styles.head} style={{ gridTemplateColumns: tracks }}>
        {columns.map(({ key, end, head, sorts }) => {
          const now = sorts?.find(({ by, other }) => by === sort && !other);
          return (
            <div
              key={key}
              role="columnheader"
              className={`${styles.cell} ${end ? styles.end : ""}`}
              aria-sort={now && (now.down ? "descending" : "ascending")}
            >
              {sorts && onSort ? (
                <button
                  type="button"
                  className={styles.sort}
                  onClick={() => onSort(nextSort(sorts, sort) ?? sort)}
                >
                  {head}
                  {now && (now.down ? <ArrowDown size={12} /> : <ArrowUp size={12} />)}
                </button>
              ) : (
                head
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

interface RowProps<T> {
  item: T;
  columns: readonly Column<T>[];
  isNarrow: boolean;
  tracks: string;
  /** Of a row among many, of which only some are in the document. */
  index?: number;
  /** Where it lies in the table, in pixels from the top. */
  start?: number;
  /** Takes its height, where it may be higher than others. */
  measure?: (row: HTMLElement | null) => void;
}

/** Drawn once: a table is rendered with each frame while it is scrolled. */
const Row = memo(function Row<T>(props: RowProps<T>) {
  const { item, columns, isNarrow, tracks, index, start, measure } = props;
  return (
    <div
      ref={measure}
      data-index={index}
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
          {column.cell(item, isNarrow)}
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
  const [width, setWidth] = useState(window.innerWidth);
  useLayoutEffect(() => {
    if (!scroller.current) return;
    setWidth(scroller.current.clientWidth);
    const observer = new ResizeObserver(([entry]) => entry && setWidth(entry.contentRect.width));
    observer.observe(scroller.current);
    return () => observer.disconnect();
  }, [scroller]);
  return useMemo(() => fitting(columns, width), [width, columns]);
}
