import { useEffect, useRef, useState } from "react";
import type { Picture } from "@/lib/graph/collapse.ts";
import type { Layout } from "@/lib/graph/layout.ts";
import type { Wanted } from "./worker.ts";

interface Done {
  key: string;
  layout: Layout;
  /** Else quickly: with more arrows that cross, and no frames around groups. */
  carefully: boolean;
}

const CAREFUL_MOST = 250; // boxes; twice as many have taken minutes
const PATIENCE_MS = 3_000;

/**
 * Places for the picture, from a worker of its own: carefully, or, when that takes too long or is
 * sure to, quickly. While another picture is laid out the last one stays; a picture nobody waits
 * for any more is given up.
 */
export function useLayout(picture: Picture | null): { done: Done | null; key: string } {
  const [done, setDone] = useState<Done | null>(null);
  const key = picture ? keyOf(picture) : "";
  const wanted = useRef(picture);
  wanted.current = picture;
  useEffect(() => {
    const now = wanted.current;
    if (!key || !now) return;
    if (now.boxes.length > CAREFUL_MOST)
      return ask({ key, picture: now, carefully: false }, setDone);
    const giveUp = ask({ key, picture: now, carefully: true }, (found) => {
      clearTimeout(late);
      setDone(found);
    });
    let instead = () => {};
    const late = setTimeout(() => {
      giveUp();
      instead = ask({ key, picture: now, carefully: false }, setDone);
    }, PATIENCE_MS);
    return () => {
      clearTimeout(late);
      giveUp();
      instead();
    };
  }, [key]);
  return { done, key };
}

/** The answer gives up. */
function ask(wanted: Wanted, take: (done: Done) => void): () => void {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  worker.onmessage = ({ data }: MessageEvent<Done>) => {
    take(data);
    worker.terminate();
  };
  worker.postMessage(wanted);
  return () => worker.terminate();
}

/** What the places depend on: not the states, so that a graph which lives stands still. */
function keyOf(picture: Picture): string {
  const boxes = picture.boxes.map((box) => `${box.id} ${box.frame}`);
  const arrows = picture.arrows.map((arrow) => `${arrow.from}>${arrow.to}${arrow.critical}`);
  return JSON.stringify([boxes, arrows]);
}
