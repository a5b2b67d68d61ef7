import type { Picture } from "@/lib/graph/collapse.ts";
import { layered } from "@/lib/graph/layered.ts";
import { laidOut } from "@/lib/graph/layout.ts";

export interface Wanted {
  key: string;
  picture: Picture;
  /** Carefully takes seconds, and of large pictures minutes; the page goes on meanwhile. */
  carefully: boolean;
}

self.onmessage = ({ data: { key, picture, carefully } }: MessageEvent<Wanted>) => {
  self.postMessage({ key, layout: carefully ? laidOut(picture) : layered(picture), carefully });
};
