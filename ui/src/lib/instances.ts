/** What people call a task instance: the name that its template gave it, else its map index. */
interface Instance {
  task_id: string;
  map_index: number;
  rendered_map_index?: string | null;
}

/** `book[7]`, or `book [INV-0007]`; of a task that is not mapped its id. */
export function instanceName(instance: Instance): string {
  if (instance.map_index < 0) return instance.task_id;
  const { rendered_map_index: name } = instance;
  return name ? `${instance.task_id} [${name}]` : `${instance.task_id}[${instance.map_index}]`;
}

/** The same without the task, where that is known. */
export function nameInTask({ map_index, rendered_map_index }: Instance): string {
  return rendered_map_index || `[${map_index}]`;
}
