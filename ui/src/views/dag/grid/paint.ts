import { type Column, countsAt, stateAt, total } from "@/lib/grid/cells.ts";
import type { Row } from "@/lib/grid/tree.ts";
import type { Span } from "@/lib/grid/window.ts";
import type { Palette } from "./palette.ts";
import type { Stamps } from "./stamps.ts";

export interface Scene {
  rows: readonly Row[];
  columns: readonly Column[];
  across: Span;
  cell: number;
  pitch: number;
  rowPitch: number;
  /** Columns at which another version begins. */
  changes: readonly number[];
}

/**
 * Paint the columns of the scene in the rows of `down`; the canvas is as large as that part. The
 * pixels are put together here and given to the canvas at once: four hundred calls of the canvas
 * for each tile took most of the time of a frame of scrolling.
 */
export function paint(
  canvas: HTMLCanvasElement,
  scene: Scene,
  down: Span,
  stamps: Stamps,
  palette: Palette,
  ratio: number,
): void {
  const { across, pitch, rowPitch } = scene;
  const width = Math.round((across.last - across.first) * pitch * ratio);
  const height = Math.round((down.last - down.first) * rowPitch * ratio);
  // Another size makes another canvas of it, which is slow; the same pixels are only written over.
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context || width === 0 || height === 0) return;
  const image = context.createImageData(width, height);
  stampAll(new Uint32Array(image.data.buffer), width, scene, down, stamps, ratio);
  context.putImageData(image, 0, 0);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  paintChanges(context, scene, (down.last - down.first) * rowPitch, palette);
}

function stampAll(
  pixels: Uint32Array,
  width: number,
  { rows, columns, across, cell, pitch, rowPitch }: Scene,
  down: Span,
  stamps: Stamps,
  ratio: number,
): void {
  const drop = (rowPitch - cell) / 2;
  for (let at = across.first; at < across.last; at += 1) {
    const column = columns[at] as Column;
    const left = Math.round((at - across.first) * pitch * ratio);
    for (let row = down.first; row < down.last; row += 1) {
      const stamp = stampOf(rows[row] as Row, column, stamps);
      if (!stamp) continue;
      const top = Math.round(((row - down.first) * rowPitch + drop) * ratio);
      press(stamp, stamps.size, pixels, top * width + left, width);
    }
  }
}

function stampOf(row: Row, column: Column, stamps: Stamps): Uint32Array | null {
  const state = stateAt(row, column);
  if (state === null) return null;
  const counts = countsAt(row, column);
  return counts && total(counts) > 1 ? stamps.many(counts) : stamps.one(state);
}

/** Copy a square of `size` into an image whose lines are `width` long, beginning at `to`. */
export function press(
  stamp: Uint32Array,
  size: number,
  pixels: Uint32Array,
  to: number,
  width: number,
): void {
  for (let line = 0; line < size; line += 1)
    for (let dot = 0; dot < size; dot += 1)
      pixels[to + line * width + dot] = stamp[line * size + dot] as number;
}

function paintChanges(
  context: CanvasRenderingContext2D,
  { changes, across, pitch }: Scene,
  height: number,
  palette: Palette,
): void {
  context.fillStyle = palette.line;
  for (const at of changes)
    if (at > across.first && at <= across.last)
      context.fillRect((at - across.first) * pitch - 2, 0, 2, height);
}
