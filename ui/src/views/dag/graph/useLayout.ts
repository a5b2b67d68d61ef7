import { useEffect, useRef, useState } from "react";
import type { Picture } from "@/lib/graph/collapse.ts";
import type { Layout } from "@/lib/graph/layout.ts";

interface Done {
  key: string;
  layout: Layout;
}

/**
 * Places for the picture, from a worker of its own. While another picture is laid out the last one
 * stays; a picture nobody waits for any more is given up.
 */
export function useLayout(picture: Picture | null): { done: Done | null; key: string } {
  const [done, setDone] = useState<Done | null>(null);
  const key = picture ? keyOf(picture) : "";
  const wanted = useRef(picture);
  wanted.current = picture;
  useEffect(() => {
    if (!key || !wanted.current) return;
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<Done>) => {
      setDone(data);
      worker.terminate();
    };
    worker.postMessage({ key, picture: wanted.current });
    return () => worker.terminate();
  }, [key]);
  return { done, key };
}

/** What the places depend on: not the states, so that a graph which lives stands still. */
function keyOf(picture: Picture): string {
  const boxes = picture.boxes.map((box) => `${box.id} ${box.frame}`);
  const arrows = picture.arrows.map((arrow) => `${arrow.from}>${arrow.to}${arrow.critical}`);
  return JSON.stringify([boxes, arrows]);
}
