/** Which boxes and arrows are drawn: a closed group is one box for everything below it. */

export interface GraphTask {
  task_id: string;
  label: string;
  group: string | null;
  upstream: readonly string[];
  critical?: boolean;
}

export interface GraphGroup {
  group_id: string;
  label: string;
  parent: string | null;
  tooltip?: string | undefined;
  /** Mapped as a whole: it runs once for each item of a list. */
  mapped?: boolean | undefined;
}

export interface Box {
  id: string;
  kind: "task" | "group";
  label: string;
  /** The open group it is drawn in. */
  frame: string | null;
  tasks: string[];
  critical: boolean;
  /** What the author says of a group. */
  tooltip?: string | undefined;
  mapped?: boolean | undefined;
}

export interface Arrow {
  from: string;
  to: string;
  /** How many dependencies between tasks it stands for. */
  count: number;
  critical: boolean;
}

export interface Frame {
  id: string;
  label: string;
  parent: string | null;
  tooltip?: string | undefined;
  mapped?: boolean | undefined;
}

export interface Picture {
  boxes: Box[];
  arrows: Arrow[];
  /** Open groups, the outer before the inner. */
  frames: Frame[];
}

export function pictureOf(
  tasks: readonly GraphTask[],
  groups: readonly GraphGroup[],
  open: ReadonlySet<string>,
): Picture {
  const known = new Map(groups.map((group) => [group.group_id, group]));
  const boxOf = new Map<string, string>();
  const boxes = new Map<string, Box>();
  const framed = new Set<string>();
  for (const task of tasks) {
    const path = pathOf(task.group, known);
    const closedAt = path.findIndex((group) => !open.has(group.group_id));
    const closed = path[closedAt];
    const around = closedAt < 0 ? path : path.slice(0, closedAt);
    for (const frame of around) framed.add(frame.group_id);
    const frame = around.at(-1)?.group_id ?? null;
    const id = closed ? groupBox(closed.group_id) : task.task_id;
    boxOf.set(task.task_id, id);
    const box = boxes.get(id) ?? {
      id,
      kind: closed ? ("group" as const) : ("task" as const),
      label: closed?.label ?? task.label,
      frame,
      tasks: [],
      critical: false,
      tooltip: closed?.tooltip,
      mapped: closed?.mapped,
    };
    box.tasks.push(task.task_id);
    box.critical ||= task.critical ?? false;
    boxes.set(id, box);
  }
  const frames = groups
    .filter((group) => framed.has(group.group_id))
    .map(({ group_id, ...group }) => ({ id: group_id, ...group }));
  return { boxes: [...boxes.values()], arrows: arrowsOf(tasks, boxOf), frames };
}

/** A task and a group may have the same id. */
export function groupBox(groupId: string): string {
  return `group:${groupId}`;
}

function pathOf(group: string | null, known: ReadonlyMap<string, GraphGroup>): GraphGroup[] {
  const path: GraphGroup[] = [];
  for (let at = group ? known.get(group) : undefined; at; ) {
    path.unshift(at);
    at = at.parent ? known.get(at.parent) : undefined;
  }
  return path;
}

function arrowsOf(tasks: readonly GraphTask[], boxOf: ReadonlyMap<string, string>): Arrow[] {
  const critical = new Set(tasks.filter((task) => task.critical).map((task) => task.task_id));
  const arrows = new Map<string, Arrow>();
  for (const task of tasks)
    for (const upstream of task.upstream) {
      const from = boxOf.get(upstream);
      const to = boxOf.get(task.task_id) as string;
      if (from === undefined || from === to) continue;
      const key = `${from}\n${to}`;
      const arrow = arrows.get(key) ?? { from, to, count: 0, critical: false };
      arrow.count += 1;
      arrow.critical ||= critical.has(upstream) && critical.has(task.task_id);
      arrows.set(key, arrow);
    }
  return [...arrows.values()];
}
