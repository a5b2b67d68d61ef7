/** The rows of the grid: tasks in the order of the spec, each below the groups it stands in. */

export interface TreeTask {
  task_id: string;
  label: string;
  group?: string | null;
}

export interface TreeGroup {
  group_id: string;
  label: string;
  parent?: string | null;
  tooltip?: string;
  mapped?: boolean;
}

export interface TaskRow {
  kind: "task";
  id: string;
  label: string;
  depth: number;
  /** Its place among the tasks, which is its place in a run's letters. */
  index: number;
}

export interface GroupRow {
  kind: "group";
  id: string;
  label: string;
  depth: number;
  open: boolean;
  /** All tasks below it, at any depth. */
  tasks: number[];
  /** What the author says of it. */
  tooltip?: string | undefined;
  /** Mapped as a whole: it runs once for each item of a list. */
  mapped?: boolean | undefined;
}

export type Row = TaskRow | GroupRow;

interface Branch {
  group: TreeGroup;
  children: (Branch | number)[];
  tasks: number[];
}

/** A group stands where its first task stands, and holds the others together. */
export function rowsOf(
  tasks: readonly TreeTask[],
  groups: readonly TreeGroup[],
  closed: ReadonlySet<string>,
): Row[] {
  const rows: Row[] = [];
  const walk = (children: (Branch | number)[], depth: number) => {
    for (const child of children) {
      if (typeof child === "number") rows.push(taskRow(tasks[child] as TreeTask, child, depth));
      else {
        const open = !closed.has(child.group.group_id);
        rows.push(groupRow(child, depth, open));
        if (open) walk(child.children, depth + 1);
      }
    }
  };
  walk(branches(tasks, groups), 0);
  return rows;
}

function branches(tasks: readonly TreeTask[], groups: readonly TreeGroup[]): (Branch | number)[] {
  const known = new Map(groups.map((group) => [group.group_id, group]));
  const grown = new Map<string, Branch>();
  const top: (Branch | number)[] = [];
  const grow = (id: string): Branch | null => {
    const there = grown.get(id);
    if (there) return there;
    const group = known.get(id);
    if (!group) return null;
    const branch: Branch = { group, children: [], tasks: [] };
    grown.set(id, branch);
    const parent = group.parent ? grow(group.parent) : null;
    (parent?.children ?? top).push(branch);
    return branch;
  };
  tasks.forEach((task, index) => {
    const branch = task.group ? grow(task.group) : null;
    (branch?.children ?? top).push(index);
    for (let at = branch; at; at = at.group.parent ? grow(at.group.parent) : null)
      at.tasks.push(index);
  });
  return top;
}

function taskRow(task: TreeTask, index: number, depth: number): TaskRow {
  return { kind: "task", id: task.task_id, label: task.label, depth, index };
}

function groupRow(branch: Branch, depth: number, open: boolean): GroupRow {
  const { group_id: id, label, tooltip, mapped } = branch.group;
  return { kind: "group", id, label, depth, open, tasks: branch.tasks, tooltip, mapped };
}

/** The groups around a task, the outermost first: what must be open for it to be seen. */
export function groupsAround(task: TreeTask, groups: readonly TreeGroup[]): string[] {
  const parents = new Map(groups.map((group) => [group.group_id, group.parent ?? null]));
  const around: string[] = [];
  for (let at = task.group ?? null; at && parents.has(at); at = parents.get(at) ?? null)
    around.unshift(at);
  return around;
}
