import type { GraphGroup } from "./collapse.ts";

/** The groups that the tasks stand in: a group's id begins with that of the group around it. */
export function groupsOf(
  tasks: readonly { group: string | null }[],
  described: readonly { path: string; tooltip: string }[] = [],
  mapped: ReadonlySet<string> = new Set(),
): GraphGroup[] {
  const tooltips = new Map(described.map(({ path, tooltip }) => [path, tooltip]));
  const groups = new Map<string, GraphGroup>();
  const add = (group_id: string): void => {
    if (groups.has(group_id)) return;
    const cut = group_id.lastIndexOf(".");
    const parent = cut < 0 ? null : group_id.slice(0, cut);
    if (parent) add(parent);
    const [label, tooltip] = [group_id.slice(cut + 1), tooltips.get(group_id)];
    const isMapped = mapped.has(group_id) || undefined;
    groups.set(group_id, { group_id, label, parent, tooltip, mapped: isMapped });
  };
  for (const task of tasks) if (task.group) add(task.group);
  return [...groups.values()];
}
