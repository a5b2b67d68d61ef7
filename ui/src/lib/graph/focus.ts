export type Focus = "upstream" | "downstream" | "both";

interface Link {
  from: string;
  to: string;
}

/** Everything the box depends on, everything that depends on it, or both; itself always. */
export function related(id: string, links: readonly Link[], focus: Focus): ReadonlySet<string> {
  const found = new Set([id]);
  if (focus !== "downstream") reach(id, sides(links, "to", "from"), found);
  if (focus !== "upstream") reach(id, sides(links, "from", "to"), found);
  return found;
}

function sides(links: readonly Link[], key: "from" | "to", value: "from" | "to") {
  const next = new Map<string, string[]>();
  for (const link of links) {
    const list = next.get(link[key]);
    if (list) list.push(link[value]);
    else next.set(link[key], [link[value]]);
  }
  return next;
}

function reach(id: string, next: ReadonlyMap<string, string[]>, found: Set<string>): void {
  const seen = new Set([id]);
  const left = [id];
  for (let at = left.pop(); at !== undefined; at = left.pop())
    for (const neighbour of next.get(at) ?? [])
      if (!seen.has(neighbour)) {
        seen.add(neighbour);
        found.add(neighbour);
        left.push(neighbour);
      }
}

/** The box an arrow key leads to: along an arrow sideways, to the nearest of the column up and down. */
export function neighbour(
  from: { id: string; x: number; y: number },
  key: string,
  boxes: readonly { id: string; x: number; y: number }[],
  links: readonly Link[],
): string | null {
  const nearest = (candidates: readonly { id: string; y: number }[]) =>
    candidates.reduce<{ id: string; y: number } | null>(
      (best, one) =>
        best === null || Math.abs(one.y - from.y) < Math.abs(best.y - from.y) ? one : best,
      null,
    )?.id ?? null;
  const linked = (near: "from" | "to", far: "from" | "to") => {
    const ids = new Set(links.filter((link) => link[near] === from.id).map((link) => link[far]));
    return nearest(boxes.filter((box) => ids.has(box.id)));
  };
  const column = boxes.filter((box) => box.id !== from.id && Math.abs(box.x - from.x) < 1);
  if (key === "ArrowRight") return linked("from", "to");
  if (key === "ArrowLeft") return linked("to", "from");
  if (key === "ArrowUp") return nearest(column.filter((box) => box.y < from.y));
  if (key === "ArrowDown") return nearest(column.filter((box) => box.y > from.y));
  return null;
}
