import type { Wanted } from "@/api/logs.ts";
import { strip } from "@/lib/selection.ts";
import { type RunState, runState } from "@/lib/states.ts";

/** What is looked for in which logs, as the URL says it. */
export interface Wish {
  q?: string;
  /** `q` is a regular expression. */
  regex?: boolean;
  /** Capital letters matter. */
  case?: boolean;
  /** Only of this run; what else narrows the runs says nothing then. */
  run?: string;
  dag?: string;
  task?: string;
  state?: RunState;
  /** A moment, or one of PERIODS before now. */
  from?: string;
  to?: string;
}

const HOUR_MS = 3_600_000;
export const PERIODS = [
  { value: "1h", shown: "the last hour", lasts: HOUR_MS },
  { value: "24h", shown: "the last 24 hours", lasts: 24 * HOUR_MS },
  { value: "7d", shown: "the last 7 days", lasts: 7 * 24 * HOUR_MS },
  { value: "30d", shown: "the last 30 days", lasts: 30 * 24 * HOUR_MS },
] as const;

/** What makes no sense in a URL is undefined, as of no wish. */
export function wishOf(search: Record<string, unknown>): Wish {
  const word = (value: unknown) =>
    typeof value === "string" && value.trim() !== "" ? value : undefined;
  const flag = (value: unknown) => value === true || value === "true" || undefined;
  return strip({
    q: word(search.q),
    regex: flag(search.regex),
    case: flag(search.case),
    run: word(search.run),
    dag: word(search.dag),
    task: word(search.task),
    state: runState(search.state),
    from: PERIODS.some(({ value }) => value === search.from)
      ? (search.from as string)
      : moment(search.from),
    to: moment(search.to),
  });
}

function moment(value: unknown): string | undefined {
  return typeof value === "string" && !Number.isNaN(Date.parse(value)) ? value : undefined;
}

/** The same wish as the server is asked. */
export function asked(wish: Wish, now: number): Wanted {
  const what = { q: wish.q ?? "", regex: wish.regex ?? false, ignore_case: !wish.case };
  if (wish.run) return what;
  const period = PERIODS.find(({ value }) => value === wish.from);
  const since = period ? now - period.lasts : wish.from;
  return {
    ...what,
    dag_id: wish.dag,
    task_id: wish.task,
    state: wish.state,
    from: since === undefined ? undefined : new Date(since).toISOString(),
    to: wish.to && new Date(wish.to).toISOString(),
  };
}

/** Whether anything but the text narrows what is searched. */
export function isNarrow({ q: _q, regex: _regex, ...rest }: Wish): boolean {
  return Object.values(rest).some((value) => value !== undefined);
}
