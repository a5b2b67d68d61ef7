/**
 * Places for pictures too large for a careful layout: layers by the longest way, each put in order
 * by where its neighbours lie, in a time that grows with the arrows. dagre needs minutes for what
 * this does in a moment, but crosses fewer arrows. Open groups have no frames here.
 */
import type { Picture } from "./collapse.ts";
import { BOX, type Layout, type Placed } from "./layout.ts";

const [ACROSS, DOWN] = [BOX.width + 120, BOX.height + 14];
const SWEEPS = 8;

export function layered(picture: Picture): Layout {
  const layers = swept(layersOf(picture), picture);
  const most = Math.max(1, ...layers.map((layer) => layer.length));
  const boxes = layers.flatMap((layer, at) =>
    layer.map((id, row): Placed => {
      const y = ((most - layer.length) / 2 + row) * DOWN;
      return { id, x: at * ACROSS, y, ...BOX };
    }),
  );
  const width = Math.max(0, layers.length - 1) * ACROSS + BOX.width;
  const height = (most - 1) * DOWN + BOX.height;
  return { boxes, frames: [], arrows: arrowsOf(picture, boxes), x: 0, y: 0, width, height };
}

/** The boxes by the longest way to each. Closed groups may make a circle: it is entered somewhere. */
function layersOf({ boxes, arrows }: Picture): string[][] {
  const below = ends(arrows, "from", "to");
  const depth = new Map(boxes.map((box) => [box.id, 0]));
  const waits = new Map(boxes.map((box) => [box.id, 0]));
  for (const { to } of arrows) waits.set(to, (waits.get(to) ?? 0) + 1);
  const ready = boxes.filter((box) => waits.get(box.id) === 0).map((box) => box.id);
  const layers: string[][] = [];
  while (waits.size > 0) {
    const id = ready.pop() ?? (waits.keys().next().value as string);
    if (!waits.delete(id)) continue;
    const at = depth.get(id) ?? 0;
    layers[at] = [...(layers[at] ?? []), id];
    for (const to of below.get(id) ?? []) {
      const left = waits.get(to);
      if (left === undefined) continue;
      depth.set(to, Math.max(depth.get(to) ?? 0, at + 1));
      waits.set(to, left - 1);
      if (left === 1) ready.push(to);
    }
  }
  return layers.map((layer) => layer ?? []);
}

/** To and fro, each layer by the middle of its neighbours in the layer before. */
function swept(layers: string[][], { arrows }: Picture): string[][] {
  const [above, below] = [ends(arrows, "to", "from"), ends(arrows, "from", "to")];
  const place = new Map<string, number>();
  const settle = (layer: readonly string[]) =>
    layer.forEach((id, row) => {
      place.set(id, row - layer.length / 2);
    });
  for (const layer of layers) settle(layer);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const near = sweep % 2 === 0 ? above : below;
    for (const layer of sweep % 2 === 0 ? layers : [...layers].reverse()) {
      const middle = new Map(layer.map((id) => [id, middleOf(near.get(id) ?? [], place, id)]));
      layer.sort((a, b) => (middle.get(a) ?? 0) - (middle.get(b) ?? 0));
      settle(layer);
    }
  }
  return layers;
}

function middleOf(ids: readonly string[], place: ReadonlyMap<string, number>, own: string): number {
  if (ids.length === 0) return place.get(own) ?? 0;
  return ids.reduce((sum, id) => sum + (place.get(id) ?? 0), 0) / ids.length;
}

function ends(arrows: Picture["arrows"], key: "from" | "to", value: "from" | "to") {
  const found = new Map<string, string[]>();
  for (const arrow of arrows) {
    const list = found.get(arrow[key]);
    if (list) list.push(arrow[value]);
    else found.set(arrow[key], [arrow[value]]);
  }
  return found;
}

/** Curves, not lines with corners: where hundreds run side by side, those lie upon each other. */
function arrowsOf({ arrows }: Picture, boxes: readonly Placed[]): Layout["arrows"] {
  const place = new Map(boxes.map((box) => [box.id, box]));
  return arrows.map(({ from, to }) => {
    const [source, target] = [place.get(from) as Placed, place.get(to) as Placed];
    const [x1, y1] = [source.x + source.width, source.y + source.height / 2];
    const [x2, y2] = [target.x, target.y + target.height / 2];
    const bend = (ACROSS - BOX.width) / 2;
    return { from, to, path: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` };
  });
}
