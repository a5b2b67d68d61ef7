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

/** Paint the columns of the scene in the rows of `down`; the canvas is as large as that part. */
export function paint(
  canvas: HTMLCanvasElement,
  scene: Scene,
  down: Span,
  stamps: Stamps,
  palette: Palette,
  ratio: number,
): void {
  const { rows, columns, across, cell, pitch, rowPitch } = scene;
  const width = (across.last - across.first) * pitch;
  const height = (down.last - down.first) * rowPitch;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  if (!context || width === 0 || height === 0) return;
  context.scale(ratio, ratio);
  paintChanges(context, scene, height, palette);
  const drop = (rowPitch - cell) / 2;
  for (let at = across.first; at < across.last; at += 1) {
    const column = columns[at] as Column;
    for (let row = down.first; row < down.last; row += 1) {
      const stamp = stampOf(rows[row] as Row, column, stamps);
      if (!stamp) continue;
      const [x, y] = [(at - across.first) * pitch, (row - down.first) * rowPitch + drop];
      context.drawImage(stamp, x, y, cell, cell);
    }
  }
}

function stampOf(row: Row, column: Column, stamps: Stamps): HTMLCanvasElement | null {
  const state = stateAt(row, column);
  if (state === null) return null;
  const counts = countsAt(row, column);
  return counts && total(counts) > 1 ? stamps.many(counts) : stamps.one(state);
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
