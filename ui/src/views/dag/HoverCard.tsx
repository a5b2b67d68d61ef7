import { type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { createPortal } from "react-dom";
import styles from "./HoverCard.module.css";

export const hoverStyles = styles;

/** Beside the pointer, within the window: what the thing under it means. */
export function HoverCard({ x, y, children }: { x: number; y: number; children: ReactNode }) {
  const card = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState({ left: x, top: y });
  useLayoutEffect(() => {
    const width = card.current?.offsetWidth ?? 0;
    const height = card.current?.offsetHeight ?? 0;
    const left = x + 14 + width > window.innerWidth ? x - 14 - width : x + 14;
    setAt({ left: Math.max(8, left), top: Math.min(y + 14, window.innerHeight - height - 8) });
  }, [x, y]);
  return createPortal(
    <div ref={card} className={styles.tip} style={at} role="tooltip">
      {children}
    </div>,
    document.body,
  );
}

export function Fact({ name, value }: { name: ReactNode; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
