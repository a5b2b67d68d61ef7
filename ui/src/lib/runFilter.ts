import { TRIGGERS } from "@/api/words.ts";
import { strip } from "./selection.ts";
import { type Span, spanIn } from "./span.ts";
import { type RunState, runState } from "./states.ts";

export const RUN_SORTS = ["newest", "oldest", "longest"] as const;

/** What a list of runs is narrowed to and how it is sorted, as the URL says it. */
export interface RunFilter extends Span {
  only?: RunState;
  trigger?: (typeof TRIGGERS)[number];
  sort?: (typeof RUN_SORTS)[number];
}

export function runFilterIn(search: Record<string, unknown>): RunFilter {
  return strip({
    only: runState(search.only),
    trigger: TRIGGERS.find((trigger) => trigger === search.trigger),
    sort: RUN_SORTS.find((sort) => sort === search.sort && sort !== "newest"),
    ...spanIn(search),
  });
}

/** Whether any run may be left out. */
export function narrows({ only, trigger, within, from, to }: RunFilter): boolean {
  return Boolean(only || trigger || within || from || to);
}
