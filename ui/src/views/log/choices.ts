import { LEVELS, type Level } from "@/lib/level.ts";
import { rangeIn } from "@/lib/logwindow.ts";
import { strip } from "@/lib/selection.ts";

/** What is looked at in a log, as a URL says it. */
export interface LogChoices {
  /** Lines that are pointed at: `12`, `12-20`. */
  line?: string;
  q?: string;
  /** Only lines of this level and above. */
  level?: Level;
  wrap?: boolean;
}

export function choicesOf(search: Record<string, unknown>): LogChoices {
  const line = typeof search.line === "number" ? String(search.line) : search.line;
  const level = LEVELS.find((name) => name === search.level);
  return strip({
    line: typeof line === "string" && rangeIn(line) ? line : undefined,
    q: typeof search.q === "string" && search.q !== "" ? search.q : undefined,
    level: level === "debug" ? undefined : level,
    wrap: search.wrap === true || search.wrap === "true" || undefined,
  });
}

export function rangeOfChoices(choices: LogChoices) {
  return rangeIn(choices.line);
}

/** With which match to begin: the first from the line on that the URL names, else the first. -1: not known yet. */
export function firstHit(found: readonly { line: number }[], from: number, more: boolean): number {
  const at = found.findIndex(({ line }) => line >= from);
  return at >= 0 || more || found.length === 0 ? at : 0;
}
