import { type KeyboardEvent, type RefObject, useCallback, useState } from "react";
import { firstFailure, moved, type Place } from "@/lib/grid/keys.ts";
import { offsetToShow } from "@/lib/grid/window.ts";
import { useShortcuts } from "@/state/keyboard.ts";
import { HEAD } from "./geometry.ts";
import type { SurfaceProps } from "./Surface.tsx";

interface Frame {
  left: number;
  pitch: number;
  rowPitch: number;
}

/** Where the keys are. It moves without changing the URL; Enter selects. */
export function useCursor(
  scroller: RefObject<HTMLDivElement | null>,
  props: SurfaceProps,
  frame: Frame,
) {
  const { rows, runs, selection, select, toggle } = props;
  const [place, setPlace] = useState<Place | null>(null);

  const goTo = useCallback(
    (to: Place) => {
      setPlace(to);
      const view = scroller.current;
      if (!view) return;
      const { left, pitch, rowPitch } = frame;
      view.scrollTop = offsetToShow(to.row, rowPitch, view.scrollTop, view.clientHeight - HEAD);
      view.scrollLeft = offsetToShow(to.column, pitch, view.scrollLeft, view.clientWidth - left);
    },
    [scroller, frame],
  );

  const start = (): Place => {
    const column = runs.findIndex((run) => run.run_id === selection.run);
    const row = rows.findIndex((one) => one.kind === "task" && one.id === selection.task);
    return {
      row: Math.max(row, selection.task ? -1 : 0),
      column: column < 0 ? runs.length - 1 : column,
    };
  };

  /** Of a mapped group Enter lists the items, and Space opens and closes it. */
  const open = (at: Place, key: string) => {
    const run = runs[at.column]?.run_id;
    const row = rows[at.row];
    if (row?.kind === "group" && row.mapped && key === "Enter") select({ run, group: row.id });
    else if (at.row >= 0 && row?.kind === "group") toggle(row.id);
    else select({ run, task: row?.id });
  };

  const failure = () => {
    const found = firstFailure(rows, runs);
    if (!found) return;
    scroller.current?.focus({ preventScroll: true });
    goTo(found);
  };
  useShortcuts([{ keys: "g", does: "Go to the first failure", run: failure }]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const at = place ?? start();
    const page = Math.floor(((scroller.current?.clientHeight ?? 400) - HEAD) / frame.rowPitch) - 1;
    const to = moved(at, event.key, rows.length, runs.length, page);
    if (to) goTo(place ? to : at);
    else if (event.key === "Enter" || event.key === " ") open(at, event.key);
    else return;
    event.preventDefault();
  };

  const onFocus = () => {
    if (!place && scroller.current?.matches(":focus-visible") && runs.length > 0) goTo(start());
  };
  return { place, onKeyDown, onFocus };
}
