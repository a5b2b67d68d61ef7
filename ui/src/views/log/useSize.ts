import { type RefObject, useEffect, useState } from "react";

/** How high a box is, and how many letters of one width are as wide as it. */
export function useSize(
  box: RefObject<HTMLElement | null>,
  ruler: RefObject<HTMLElement | null>,
): { height: number; columns: number } {
  const [size, setSize] = useState({ height: 0, columns: 80 });
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      const letter = (ruler.current?.getBoundingClientRect().width ?? 800) / 100;
      setSize({ height: element.clientHeight, columns: Math.floor(element.clientWidth / letter) });
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [box, ruler]);
  return size;
}
