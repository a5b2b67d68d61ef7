/** What part of the drawing is seen: the drawing's point (x, y) lies at the top left, `scale` times. */
export interface Viewport {
  x: number;
  y: number;
  scale: number;
}

export interface Extent {
  x: number;
  y: number;
  width: number;
  height: number;
}

export const SCALES = { least: 0.05, most: 2 } as const;

/** All of it, centred, never larger than life. */
export function fitted(drawing: Extent, width: number, height: number, margin = 24): Viewport {
  const scale = clamp(
    Math.min(
      (width - 2 * margin) / Math.max(1, drawing.width),
      (height - 2 * margin) / Math.max(1, drawing.height),
      1,
    ),
  );
  return {
    scale,
    x: drawing.x + drawing.width / 2 - width / scale / 2,
    y: drawing.y + drawing.height / 2 - height / scale / 2,
  };
}

/**
 * What opens first: all of it where its words can still be read, else its beginning at a size that
 * can be read.
 */
export function opening(
  drawing: Extent,
  width: number,
  height: number,
  first: Extent = drawing,
): Viewport {
  const whole = fitted(drawing, width, height);
  const readable = 0.75;
  if (whole.scale >= readable) return whole;
  const scale = readable;
  return {
    scale,
    x: drawing.x - 24 / scale,
    y: first.y + first.height / 2 - height / scale / 2,
  };
}

/** Of the boxes farthest to the left the one in the middle: what is seen first lies around it. */
export function beginningOf(drawing: Extent & { boxes: readonly Extent[] }): Extent {
  const middle = drawing.y + drawing.height / 2;
  const away = (box: Extent) => Math.abs(box.y + box.height / 2 - middle);
  return drawing.boxes.reduce<Extent>((best, box) => {
    if (best === drawing || box.x < best.x) return box;
    return box.x === best.x && away(box) < away(best) ? box : best;
  }, drawing);
}

/** Nearer or farther, with the point under the pointer where it was. */
export function zoomed(from: Viewport, factor: number, at: { x: number; y: number }): Viewport {
  const scale = clamp(from.scale * factor);
  return {
    scale,
    x: from.x + at.x / from.scale - at.x / scale,
    y: from.y + at.y / from.scale - at.y / scale,
  };
}

export function panned(from: Viewport, byX: number, byY: number): Viewport {
  return { ...from, x: from.x - byX / from.scale, y: from.y - byY / from.scale };
}

/** The same scale, moved as little as it takes to see the box. */
export function showing(from: Viewport, box: Extent, width: number, height: number): Viewport {
  const margin = 24 / from.scale;
  const along = (start: number, length: number, low: number, size: number) => {
    if (low - margin < start) return low - margin;
    const end = low + size + margin;
    return end > start + length ? end - length : start;
  };
  return {
    scale: from.scale,
    x: along(from.x, width / from.scale, box.x, box.width),
    y: along(from.y, height / from.scale, box.y, box.height),
  };
}

export function overlaps(a: Extent, b: Extent): boolean {
  return (
    a.x <= b.x + b.width && b.x <= a.x + a.width && a.y <= b.y + b.height && b.y <= a.y + a.height
  );
}

function clamp(scale: number): number {
  return Math.min(SCALES.most, Math.max(SCALES.least, scale));
}
