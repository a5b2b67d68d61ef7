import { memo, type PointerEvent } from "react";
import type { Layout } from "@/lib/graph/layout.ts";
import type { Viewport } from "@/lib/graph/viewport.ts";
import { stateColour } from "@/parts/State.tsx";
import styles from "./Graph.module.css";

const [WIDTH, HEIGHT] = [184, 116];

interface Props {
  layout: Layout;
  view: Viewport;
  size: { width: number; height: number };
  stateOf: (id: string) => string | null;
  move: (view: Viewport) => void;
}

/** All of a large graph, where it is red, and what part of it is seen. */
export function MiniMap({ layout, view, size, stateOf, move }: Props) {
  const scale = Math.min(WIDTH / layout.width, HEIGHT / layout.height);
  const onPointer = (event: PointerEvent<SVGSVGElement>) => {
    if (event.buttons !== 1) return;
    const box = event.currentTarget.getBoundingClientRect();
    const x = layout.x + (event.clientX - box.left) / scale - size.width / view.scale / 2;
    const y = layout.y + (event.clientY - box.top) / scale - size.height / view.scale / 2;
    move({ ...view, x, y });
  };
  return (
    <svg
      className={styles.map}
      width={layout.width * scale}
      height={layout.height * scale}
      viewBox={`${layout.x} ${layout.y} ${layout.width} ${layout.height}`}
      onPointerDown={onPointer}
      onPointerMove={onPointer}
      aria-hidden
    >
      <Boxes layout={layout} stateOf={stateOf} />
      <rect
        className={styles.seen}
        x={view.x}
        y={view.y}
        width={size.width / view.scale}
        height={size.height / view.scale}
      />
    </svg>
  );
}

/** Not drawn anew while the view moves. */
const Boxes = memo(function Boxes({ layout, stateOf }: Pick<Props, "layout" | "stateOf">) {
  return layout.boxes.map((box) => (
    <rect
      key={box.id}
      x={box.x}
      y={box.y}
      width={box.width}
      height={box.height}
      style={{ fill: stateColour(stateOf(box.id) ?? "waiting") }}
    />
  ));
});
