import { isState } from "./states.ts";

/** What is selected in a DAG's views, as the URL says it. */
export interface Selection {
  run?: string;
  task?: string;
  /** A mapped group, whose items are listed; not beside a task. */
  group?: string;
  map?: number;
  try?: number;
  /** Of the task's instances, or of the run's tasks, only those in this state; of a task also `all`. */
  state?: string;
  /** The run stays, its drawer is closed. */
  details?: "closed";
}

/**
 * The selection in a URL's search. What makes no sense in it is undefined, not left out: the router
 * lays this over what the URL says, and an empty `run` would go on to be one.
 */
export function selectionOf(search: Record<string, unknown>): Selection {
  const run = text(search.run);
  const task = text(search.task);
  const group = task === undefined ? text(search.group) : undefined;
  const map = task === undefined ? undefined : whole(search.map, -1);
  const attempt = task === undefined ? undefined : whole(search.try, 1);
  const details = run !== undefined && search.details === "closed" ? "closed" : undefined;
  return { run, task, group, map, try: attempt, state: listed(search.state), details };
}

function text(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function listed(value: unknown): string | undefined {
  return typeof value === "string" && (value === "all" || isState(value)) ? value : undefined;
}

function whole(value: unknown, least: number): number | undefined {
  const found = typeof value === "string" ? Number(value) : value;
  return Number.isInteger(found) && (found as number) >= least ? (found as number) : undefined;
}

/** Without the keys that are undefined, so that they do not stand in a URL. */
export function strip<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, each]) => each !== undefined),
  ) as Partial<T>;
}
