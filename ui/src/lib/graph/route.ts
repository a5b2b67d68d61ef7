/**
 * Arrows as right angles. The layout says at which height an arrow passes each column of boxes;
 * between two columns it changes its height once, on a track of its own. Arrows that leave one
 * place share their track: they read as one line that branches; so do those that meet in one.
 */

export interface Point {
  x: number;
  y: number;
}

export interface Column {
  left: number;
  right: number;
}

interface Turn {
  arrow: number;
  at: number;
  gap: number;
  from: number;
  to: number;
  source: string;
}

const FLAT = 0.5;

/** Columns of boxes by their horizontal middles; what lies between them is the gaps. */
export function columnsOf(boxes: readonly { x: number; width: number }[]): Column[] {
  const columns: Column[] = [];
  const sides = boxes.map((box) => ({ left: box.x - box.width / 2, right: box.x + box.width / 2 }));
  for (const side of sides.sort((a, b) => a.left - b.left)) {
    const last = columns.at(-1);
    if (last && side.left < last.right) last.right = Math.max(last.right, side.right);
    else columns.push({ ...side });
  }
  return columns;
}

export interface Line {
  from: string;
  to: string;
  points: readonly Point[];
}

/** The corners of every arrow, from the heights at which it passes the columns. */
export function routed(arrows: readonly Line[], columns: readonly Column[]): Point[][] {
  const turns: Turn[] = [];
  const leaving = counted(arrows.map((arrow) => arrow.from));
  const meeting = counted(arrows.map((arrow) => arrow.to));
  arrows.forEach(({ from, to, points }, arrow) => {
    const branches = (leaving.get(from) ?? 0) >= (meeting.get(to) ?? 0);
    for (let at = 0; at + 1 < points.length; at += 1) {
      const [one, two] = [points[at] as Point, points[at + 1] as Point];
      if (Math.abs(one.y - two.y) <= FLAT) continue;
      const gap = gapBetween(one.x, two.x, columns);
      const first = at === 0 && (branches || points.length > 2);
      const last = at + 2 === points.length && !first;
      const source = first ? `from ${from}` : last ? `to ${to}` : `${from}>${arrow}`;
      turns.push({ arrow, at, gap, from: one.y, to: two.y, source });
    }
  });
  const tracks = new Map<string, number>();
  for (const [gap, within] of byGap(turns)) placeTracks(gap, within, columns, tracks);
  return arrows.map(({ points }, arrow) => cornersOf(points, arrow, tracks));
}

function counted(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function cornersOf(
  points: readonly Point[],
  arrow: number,
  tracks: ReadonlyMap<string, number>,
): Point[] {
  const corners: Point[] = [points[0] as Point];
  for (let at = 1; at < points.length; at += 1) {
    const [one, two] = [points[at - 1] as Point, points[at] as Point];
    const x = tracks.get(`${arrow} ${at - 1}`);
    if (x !== undefined) corners.push({ x, y: one.y }, { x, y: two.y });
  }
  corners.push(points.at(-1) as Point);
  return corners;
}

/** The last gap before the second point: an arrow turns as late as it can. */
function gapBetween(one: number, two: number, columns: readonly Column[]): number {
  const right = Math.max(one, two);
  let gap = -1;
  for (const [at, column] of columns.entries()) if (column.right < right) gap = at;
  const beyond = columns[gap + 1];
  return beyond && beyond.left < Math.min(one, two) ? gap + 1 : gap;
}

function byGap(turns: readonly Turn[]): Map<number, Turn[]> {
  const gaps = new Map<number, Turn[]>();
  for (const turn of turns) gaps.set(turn.gap, [...(gaps.get(turn.gap) ?? []), turn]);
  return gaps;
}

interface Trunk {
  turns: Turn[];
  top: number;
  bottom: number;
  /** Where it enters: those that go down and enter high must turn last, or they cross. */
  enters: number;
  down: boolean;
}

function placeTracks(
  gap: number,
  turns: readonly Turn[],
  columns: readonly Column[],
  tracks: Map<string, number>,
): void {
  const lanes = lanesOf(trunksOf(turns));
  const left = columns[gap]?.right ?? (columns[0]?.left ?? 0) - 40;
  const right = columns[gap + 1]?.left ?? left + 40;
  const step = (right - left) / (lanes.length + 1);
  lanes.forEach((lane, at) => {
    for (const trunk of lane)
      for (const turn of trunk.turns)
        tracks.set(`${turn.arrow} ${turn.at}`, left + step * (at + 1));
  });
}

function trunksOf(turns: readonly Turn[]): Trunk[] {
  const trunks = new Map<string, Trunk>();
  for (const turn of turns) {
    const [top, bottom] = [Math.min(turn.from, turn.to), Math.max(turn.from, turn.to)];
    const trunk = trunks.get(turn.source);
    if (trunk) {
      trunk.turns.push(turn);
      trunk.top = Math.min(trunk.top, top);
      trunk.bottom = Math.max(trunk.bottom, bottom);
    } else {
      const down = turn.to > turn.from;
      trunks.set(turn.source, { turns: [turn], top, bottom, enters: turn.from, down });
    }
  }
  return [...trunks.values()];
}

/** Trunks that do not overlap share a lane. */
function lanesOf(trunks: Trunk[]): Trunk[][] {
  const ordered = trunks.sort((a, b) =>
    a.down === b.down ? (a.down ? b.enters - a.enters : a.enters - b.enters) : a.down ? 1 : -1,
  );
  const lanes: Trunk[][] = [];
  for (const trunk of ordered) {
    const free = lanes.find((lane) =>
      lane.every((other) => other.bottom + 4 < trunk.top || trunk.bottom + 4 < other.top),
    );
    if (free) free.push(trunk);
    else lanes.push([trunk]);
  }
  return lanes;
}

/** An SVG path with rounded corners. */
export function pathOf(corners: readonly Point[], radius = 6): string {
  const [first, ...rest] = corners;
  if (!first) return "";
  let path = `M${first.x} ${first.y}`;
  for (const [at, corner] of rest.entries()) {
    const before = corners[at] as Point;
    const after = rest[at + 1];
    if (!after) return `${path}L${corner.x} ${corner.y}`;
    const bend = Math.min(radius, distance(before, corner) / 2, distance(corner, after) / 2);
    const enter = towards(corner, before, bend);
    const leave = towards(corner, after, bend);
    path += `L${enter.x} ${enter.y}Q${corner.x} ${corner.y} ${leave.x} ${leave.y}`;
  }
  return path;
}

function distance(a: Point, b: Point): number {
  return Math.abs(a.x - b.x) + Math.abs(a.y - b.y);
}

function towards(from: Point, to: Point, by: number): Point {
  const whole = distance(from, to) || 1;
  return { x: from.x + ((to.x - from.x) / whole) * by, y: from.y + ((to.y - from.y) / whole) * by };
}
