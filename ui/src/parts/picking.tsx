import { type ReactNode, useCallback, useMemo, useState } from "react";
import { counted } from "@/lib/count.ts";
import { Button } from "./Button.tsx";
import styles from "./picking.module.css";
import type { Column } from "./Table.tsx";

export interface Picked<T> {
  /** Those of the list that are selected. */
  chosen: readonly T[];
  /** Selects exactly these. */
  choose: (items: readonly T[]) => void;
  column: Column<T>;
}

/** Which items of a list are selected, and the column that selects them. `id` must be stable; `noun`: one of them, "run". */
export function usePicked<T>(
  items: readonly T[],
  id: (item: T) => string,
  noun: string,
): Picked<T> {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const chosen = useMemo(() => items.filter((item) => ids.has(id(item))), [items, ids, id]);
  const choose = useCallback((next: readonly T[]) => setIds(new Set(next.map(id))), [id]);
  const column = useMemo(
    () => pickColumn(items, chosen, ids, setIds, id, noun),
    [items, chosen, ids, id, noun],
  );
  return { chosen, choose, column };
}

function pickColumn<T>(
  items: readonly T[],
  chosen: readonly T[],
  ids: ReadonlySet<string>,
  setIds: (ids: ReadonlySet<string>) => void,
  id: (item: T) => string,
  noun: string,
): Column<T> {
  const all = chosen.length > 0 && chosen.length === items.length;
  return {
    key: "pick",
    width: "52px",
    head: (
      <input
        type="checkbox"
        className={styles.pick}
        aria-label={`Select all ${noun}s of the list`}
        checked={all}
        ref={(box) => {
          if (box) box.indeterminate = chosen.length > 0 && !all;
        }}
        onChange={() => setIds(new Set(all ? [] : items.map(id)))}
      />
    ),
    cell: (item) => (
      <input
        type="checkbox"
        className={styles.pick}
        aria-label={`Select ${noun} ${id(item)}`}
        checked={ids.has(id(item))}
        onChange={({ target }) => {
          const next = new Set(ids);
          if (target.checked) next.add(id(item));
          else next.delete(id(item));
          setIds(next);
        }}
      />
    ),
  };
}

/** Below a list, so that nothing moves under the pointer: how many are selected, and what can be done with them. */
export function PickedBar<T>({
  picked: { chosen, choose },
  noun,
  note,
  children,
}: {
  picked: Picked<T>;
  noun: string;
  note?: ReactNode;
  children: ReactNode;
}) {
  if (chosen.length === 0) return null;
  return (
    <div className={styles.bar} role="toolbar" aria-label={`Selected ${noun}s`}>
      <span role="status">
        {counted(chosen.length, noun)} selected{note}
      </span>
      {children}
      <Button small look="quiet" onClick={() => choose([])}>
        Clear the selection
      </Button>
    </div>
  );
}
