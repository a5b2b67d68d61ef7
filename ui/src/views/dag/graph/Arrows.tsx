import { memo, useMemo } from "react";
import type { Picture } from "@/lib/graph/collapse.ts";
import type { Layout } from "@/lib/graph/layout.ts";
import styles from "./Graph.module.css";

/** The arrows: the critical path stronger, those of the selected box in the accent. */
export const Arrows = memo(function Arrows({
  picture,
  layout,
  selected,
  bright,
}: {
  picture: Picture;
  layout: Layout;
  selected: string | null;
  bright: ReadonlySet<string> | null;
}) {
  const critical = useMemo(
    () =>
      new Set(picture.arrows.filter((one) => one.critical).map((one) => `${one.from}>${one.to}`)),
    [picture],
  );
  return (
    <svg className={styles.arrows} aria-hidden>
      <defs>
        <marker
          id="head"
          viewBox="0 0 6 6"
          refX="5.5"
          refY="3"
          markerWidth="6"
          markerHeight="6"
          markerUnits="userSpaceOnUse"
          orient="auto"
        >
          <path d="M0 0.4 5.6 3 0 5.6z" />
        </marker>
      </defs>
      {layout.arrows.map(({ from, to, path }) => (
        <path
          key={`${from}>${to}`}
          d={path}
          markerEnd="url(#head)"
          data-critical={critical.has(`${from}>${to}`)}
          data-near={from === selected || to === selected}
          data-faded={bright !== null && !(bright.has(from) && bright.has(to))}
        />
      ))}
    </svg>
  );
});
