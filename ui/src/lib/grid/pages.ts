import type { Column } from "./cells.ts";
import type { TreeGroup, TreeTask } from "./tree.ts";

/** A page of the grid: some runs, and the tasks that they have. */
export interface GridPage<T extends TreeTask = TreeTask, R extends Column = Column> {
  tasks: readonly T[];
  groups: readonly TreeGroup[];
  runs: readonly R[];
}

export interface Whole<T extends TreeTask, R extends Column> {
  tasks: T[];
  groups: TreeGroup[];
  runs: R[];
}

/**
 * One grid of pages, the newest page first as they were read. Each page counts its own tasks; older
 * runs are brought to the rows of the newest page, and tasks that only they have stand below.
 */
export function whole<T extends TreeTask, R extends Column>(
  pages: readonly GridPage<T, R>[],
): Whole<T, R> {
  const [newest, ...older] = pages;
  if (!newest) return { tasks: [], groups: [], runs: [] };
  const tasks = [...newest.tasks];
  const groups = new Map(newest.groups.map((group) => [group.group_id, group]));
  const rows = new Map(tasks.map((task, row) => [task.task_id, row]));
  let runs = [...newest.runs];
  for (const page of older) {
    for (const group of page.groups)
      if (!groups.has(group.group_id)) groups.set(group.group_id, group);
    const to = page.tasks.map((task) => {
      const row = rows.get(task.task_id) ?? tasks.push(task) - 1;
      rows.set(task.task_id, row);
      return row;
    });
    runs = [...page.runs.map((run) => moved(run, to, tasks.length)), ...runs];
  }
  return { tasks, groups: [...groups.values()], runs };
}

function moved<R extends Column>(run: R, to: readonly number[], length: number): R {
  if (to.every((row, at) => row === at)) return run;
  const letters = new Array<string>(length).fill(".");
  to.forEach((row, at) => {
    letters[row] = run.cells[at] ?? ".";
  });
  const mapped = Object.fromEntries(
    Object.entries(run.mapped).map(([row, counts]) => [String(to[Number(row)]), counts]),
  );
  return { ...run, cells: letters.join(""), mapped };
}
