import { type KeyboardEvent, useMemo, useRef, useState } from "react";
import type { RunTask } from "@/api/types.ts";
import { number } from "@/lib/count.ts";
import type { Box, Picture } from "@/lib/graph/collapse.ts";
import { type Focus, neighbour, related } from "@/lib/graph/focus.ts";
import type { Layout } from "@/lib/graph/layout.ts";
import { overlaps, showing } from "@/lib/graph/viewport.ts";
import { mostTelling } from "@/lib/states.ts";
import { Arrows } from "./Arrows.tsx";
import styles from "./Graph.module.css";
import { MiniMap } from "./MiniMap.tsx";
import { countsOf, itemsOf, Node } from "./Nodes.tsx";
import { useViewport } from "./useViewport.ts";
import { ViewTools } from "./ViewTools.tsx";

const MAP_ABOVE = 100;

interface Props {
  picture: Picture;
  layout: Layout;
  states: ReadonlyMap<string, RunTask>;
  selected: string | null;
  focus: Focus | undefined;
  choose: (box: Box) => void;
  close: (group: string) => void;
  /** List the items of a mapped group. */
  items: (group: string) => void;
}

/** The boxes in sight as buttons over their arrows, in a plane that is moved and scaled. */
export function Drawing(props: Props) {
  const { picture, layout, states, selected, focus } = props;
  const frame = useRef<HTMLDivElement>(null);
  const [reached, setReached] = useState<string | null>(null);
  const places = useMemo(() => new Map(layout.boxes.map((box) => [box.id, box])), [layout]);
  const here = selected ? places.get(selected) : undefined;
  const { view, setView, size, zoom, fit, hand } = useViewport(frame, layout, here);
  const bright = useMemo(
    () => (focus && selected ? related(selected, picture.arrows, focus) : null),
    [focus, selected, picture],
  );
  const stateOf = useMemo(() => {
    const known = new Map(picture.boxes.map((box) => [box.id, mostTelling(countsOf(box, states))]));
    return (id: string) => known.get(id) ?? null;
  }, [picture, states]);
  const at = reached && places.has(reached) ? reached : (selected ?? layout.boxes[0]?.id ?? null);

  const onKeyDown = (event: KeyboardEvent) => {
    const from = at && places.get(at);
    const to = from && neighbour(from, event.key, layout.boxes, picture.arrows);
    const place = to && places.get(to);
    if (!place) return;
    event.preventDefault();
    setReached(to);
    setView((now) => now && showing(now, place, size.width, size.height));
    requestAnimationFrame(() =>
      frame.current
        ?.querySelector<HTMLElement>(`[data-id="${CSS.escape(to)}"]`)
        ?.focus({ preventScroll: true }),
    );
  };

  const seen = view && {
    x: view.x,
    y: view.y,
    width: size.width / view.scale,
    height: size.height / view.scale,
  };
  return (
    <div className={styles.drawing} ref={frame} {...hand}>
      {view && seen && (
        // biome-ignore lint/a11y/noStaticElementInteractions: keys move between the buttons within
        <div
          className={styles.plane}
          data-plane
          style={{ transform: `scale(${view.scale}) translate(${-view.x}px, ${-view.y}px)` }}
          onKeyDown={onKeyDown}
        >
          {layout.frames.map((box) => {
            const group = picture.frames.find((one) => one.id === box.id);
            return (
              <div
                key={box.id}
                className={styles.frame}
                style={{ left: box.x, top: box.y, width: box.width, height: box.height }}
              >
                <button
                  type="button"
                  onClick={() => props.close(box.id)}
                  aria-expanded
                  title={group?.tooltip || "Collapse the group"}
                >
                  {group?.label}
                </button>
                {group?.mapped && (
                  <button
                    type="button"
                    title="Mapped group or loop: list its items or iterations"
                    aria-label={`×${number(itemsOf(within(box.id, states), states))}: items of ${group.label}`}
                    onClick={() => props.items(box.id)}
                  >
                    ×{number(itemsOf(within(box.id, states), states))}
                  </button>
                )}
              </div>
            );
          })}
          <Arrows picture={picture} layout={layout} selected={selected} bright={bright} />
          {picture.boxes.map((box) => {
            const place = places.get(box.id);
            if (!place || !overlaps(place, seen)) return null;
            return (
              <Node
                key={box.id}
                box={box}
                place={place}
                states={states}
                selected={box.id === selected}
                reached={box.id === at}
                faded={bright !== null && !bright.has(box.id)}
                choose={props.choose}
              />
            );
          })}
        </div>
      )}
      <ViewTools zoom={zoom} fit={fit} />
      {view && layout.boxes.length > MAP_ABOVE && (
        <MiniMap layout={layout} view={view} size={size} stateOf={stateOf} move={setView} />
      )}
    </div>
  );
}

/** The tasks of a mapped group. */
function within(group: string, states: ReadonlyMap<string, RunTask>): string[] {
  return [...states.values()]
    .filter((task) => task.mapped_group === group)
    .map((task) => task.task_id);
}
