/** The states of task instances, runs and attempts, in the order in which they tell the most. */
export const STATES = [
  "failed",
  "running",
  "up_for_retry",
  "queued",
  "ready",
  "waiting",
  "upstream_failed",
  "lost",
  "cancelled",
  "success",
  "skipped",
] as const;

export type State = (typeof STATES)[number];

const WORDS: Record<State, string> = {
  failed: "failed",
  running: "running",
  up_for_retry: "up for retry",
  queued: "queued",
  ready: "ready",
  waiting: "waiting",
  upstream_failed: "upstream failed",
  lost: "lost",
  cancelled: "cancelled",
  success: "success",
  skipped: "skipped",
};

const FINAL: ReadonlySet<string> = new Set<State>([
  "failed",
  "upstream_failed",
  "lost",
  "cancelled",
  "success",
  "skipped",
]);

const LETTERS: Record<string, State> = {
  w: "waiting",
  r: "ready",
  q: "queued",
  R: "running",
  y: "up_for_retry",
  s: "success",
  f: "failed",
  k: "skipped",
  u: "upstream_failed",
  c: "cancelled",
};

export const RUN_STATES = ["queued", "running", "success", "failed", "cancelled"] as const;

/** A word for a state that this version of the interface does not know stays as it came. */
export function stateWord(state: string): string {
  return isState(state) ? WORDS[state] : state.replaceAll("_", " ");
}

export function isState(state: string): state is State {
  return state in WORDS;
}

/** Whether nothing but a person moves it any more. */
export function isFinal(state: string): boolean {
  return FINAL.has(state);
}

/** A letter of the grid; null where the run has no such task. */
export function stateOfLetter(letter: string): State | null {
  return LETTERS[letter] ?? null;
}

/** Counts by state, the most telling first, without those that are zero. */
export function tally(counts: Readonly<Record<string, number>>): [state: string, count: number][] {
  const rank = (state: string) => {
    const at = STATES.indexOf(state as State);
    return at < 0 ? STATES.length : at;
  };
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b));
}

/** The state that says most about all of them. */
export function mostTelling(counts: Readonly<Record<string, number>>): string | null {
  return tally(counts)[0]?.[0] ?? null;
}
