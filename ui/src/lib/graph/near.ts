import type { Picture } from "./collapse.ts";
import type { Focus } from "./focus.ts";

/** So many boxes can be read at once; of more only a part is drawn, unless all are asked for. */
export const READABLE = 400;
/** So many make a neighbourhood. */
export const NEAR_MOST = 80;

export interface Near {
  picture: Picture;
  /** How many steps away from the box it reaches. */
  steps: number;
  /** Whether there is more than is drawn. */
  cut: boolean;
}

/**
 * The box and what lies around it, step by step upstream and downstream, as long as it stays small.
 * The first step is always taken, of a box with many neighbours as far as there is room.
 */
export function near(picture: Picture, id: string, focus: Focus = "both", most = NEAR_MOST): Near {
  const found = new Set([id]);
  let steps = 0;
  let edge = [id];
  for (;;) {
    const next = ring(picture, new Set(edge), found, focus);
    if (next.length === 0) return { picture: within(picture, found), steps, cut: false };
    if (found.size + next.length > most) {
      if (steps === 0) for (const one of next.slice(0, most - found.size)) found.add(one);
      return { picture: within(picture, found), steps: Math.max(1, steps), cut: true };
    }
    for (const one of next) found.add(one);
    edge = next;
    steps += 1;
  }
}

function ring(
  { arrows }: Picture,
  edge: ReadonlySet<string>,
  found: ReadonlySet<string>,
  focus: Focus,
): string[] {
  const next = new Set<string>();
  for (const { from, to } of arrows) {
    if (focus !== "upstream" && edge.has(from) && !found.has(to)) next.add(to);
    if (focus !== "downstream" && edge.has(to) && !found.has(from)) next.add(from);
  }
  return [...next];
}

function within({ boxes, arrows, frames }: Picture, ids: ReadonlySet<string>): Picture {
  return {
    boxes: boxes.filter((box) => ids.has(box.id)),
    arrows: arrows.filter((arrow) => ids.has(arrow.from) && ids.has(arrow.to)),
    frames,
  };
}
