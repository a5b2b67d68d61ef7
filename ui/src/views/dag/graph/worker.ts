import type { Picture } from "@/lib/graph/collapse.ts";
import { laidOut } from "@/lib/graph/layout.ts";

/** Laying out hundreds of boxes takes seconds; the page goes on meanwhile. */
self.onmessage = ({ data }: MessageEvent<{ key: string; picture: Picture }>) => {
  self.postMessage({ key: data.key, layout: laidOut(data.picture) });
};
