import {
  FINAL_STATES,
  INSTANCE_STATES,
  RUN_STATES,
  STATE_LETTERS,
  STATE_WORDS,
  STATES,
} from "@/api/words.ts";

export { INSTANCE_STATES, RUN_STATES, STATES };

/** The states of task instances, runs and attempts, in the order in which they tell the most. */
export type State = (typeof STATES)[number];
export type InstanceState = (typeof INSTANCE_STATES)[number];
export type RunState = (typeof RUN_STATES)[number];

const LETTERS: Readonly<Record<string, string>> = STATE_LETTERS;
const OF_LETTERS = new Map<string, State>(
  INSTANCE_STATES.map((state) => [STATE_LETTERS[state], state]),
);
const FINAL: ReadonlySet<string> = new Set(FINAL_STATES);

/** A word for a state that this version of the interface does not know stays as it came. */
export function stateWord(state: string): string {
  return isState(state) ? STATE_WORDS[state] : state.replaceAll("_", " ");
}

export function isState(state: string): state is State {
  return Object.hasOwn(STATE_WORDS, state);
}

export function runState(word: unknown): RunState | undefined {
  return RUN_STATES.find((state) => state === word);
}

/** Whether nothing but a person moves it any more. */
export function isFinal(state: string): boolean {
  return FINAL.has(state);
}

/** A letter of the grid; null where the run has no such task. */
export function stateOfLetter(letter: string): State | null {
  return OF_LETTERS.get(letter) ?? null;
}

/** The other way round; null for a state that the grid does not know. */
export function letterOf(state: string): string | null {
  return LETTERS[state] ?? null;
}

/** Counts by state, the most telling first, without those that are zero. */
export function tally(counts: Readonly<Record<string, number>>): [state: string, count: number][] {
  const rank = (state: string) => (isState(state) ? STATES.indexOf(state) : STATES.length);
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b));
}

/** The state that says most about all of them. */
export function mostTelling(counts: Readonly<Record<string, number>>): string | null {
  return tally(counts)[0]?.[0] ?? null;
}
