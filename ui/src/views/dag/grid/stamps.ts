import { type Slice, stack } from "@/lib/grid/cells.ts";
import { isState, tally } from "@/lib/states.ts";
import { SIGNS } from "@/parts/stateIcons.ts";
import { ICON_FROM } from "./geometry.ts";
import type { Palette } from "./palette.ts";

/**
 * Every look a cell can have, drawn once and kept as pixels: painting a screen of cells is then
 * only copying.
 */
export interface Stamps {
  /** How many device pixels a stamp is wide and high. */
  size: number;
  one: (state: string) => Uint32Array;
  many: (counts: Readonly<Record<string, number>>) => Uint32Array;
}

// Not begun: an outline, so that a run of a thousand tasks does not begin as a wall of grey.
const HOLLOW: ReadonlySet<string> = new Set(["waiting", "ready"]);
// What went well recedes a little: what did not is then seen first.
const CALM = { success: 0.8, skipped: 0.7 } as Readonly<Record<string, number>>;
const KEPT = 4_000;

export function stampsOf(cell: number, ratio: number, palette: Palette): Stamps {
  const made = new Map<string, Uint32Array>();
  const size = Math.round(cell * ratio);
  const board = document.createElement("canvas");
  board.width = board.height = size;
  const context = board.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
  const stamp = (key: string, draw: (at: CanvasRenderingContext2D) => void) => {
    const there = made.get(key);
    if (there) return there;
    if (made.size > KEPT) made.clear();
    context.reset();
    context.scale(size / cell, size / cell);
    draw(context);
    const pixels = new Uint32Array(context.getImageData(0, 0, size, size).data.buffer);
    made.set(key, pixels);
    return pixels;
  };
  return {
    size,
    one: (state) => stamp(state, (at) => drawOne(at, state, cell, palette)),
    many: (counts) => {
      const slices = stack(tally(counts), cell);
      const key = slices.map((slice) => `${slice.state}${slice.size}`).join();
      return stamp(key, (at) => drawMany(at, slices, cell, palette));
    },
  };
}

function drawOne(
  at: CanvasRenderingContext2D,
  state: string,
  cell: number,
  palette: Palette,
): void {
  const colour = palette.fills[state] ?? palette.line;
  const hollow = HOLLOW.has(state);
  at.fillStyle = at.strokeStyle = colour;
  at.beginPath();
  const inset = hollow ? 0.75 : 0;
  at.roundRect(inset, inset, cell - 2 * inset, cell - 2 * inset, 3 - inset);
  if (hollow) {
    at.lineWidth = 1.5;
    if (state === "waiting") at.setLineDash([2, 2]);
    at.stroke();
  } else {
    at.globalAlpha = CALM[state] ?? 1;
    at.fill();
    at.globalAlpha = 1;
  }
  if (cell >= ICON_FROM && !hollow) drawSign(at, state, cell, palette);
}

function drawSign(
  at: CanvasRenderingContext2D,
  state: string,
  cell: number,
  palette: Palette,
): void {
  if (!isState(state)) return;
  const sign = SIGNS[state];
  const scale = cell / 16;
  at.save();
  at.scale(scale, scale);
  at.strokeStyle = palette.surface;
  at.lineWidth = 1.8;
  at.lineCap = at.lineJoin = "round";
  at.setLineDash([]);
  if (!sign.solid) {
    at.translate(8, 8);
    at.scale(0.78, 0.78);
    at.translate(-8, -8);
  }
  at.stroke(new Path2D(sign.d));
  at.restore();
}

function drawMany(
  at: CanvasRenderingContext2D,
  slices: readonly Slice[],
  cell: number,
  palette: Palette,
): void {
  at.beginPath();
  at.roundRect(0, 0, cell, cell, 3);
  at.clip();
  for (const slice of slices) {
    at.fillStyle = palette.fills[slice.state] ?? palette.line;
    at.globalAlpha = HOLLOW.has(slice.state) ? 0.4 : (CALM[slice.state] ?? 1);
    at.fillRect(0, slice.from, cell, slice.size);
  }
}
