const STEPS_S = [
  ...[0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60),
  ...[1, 2, 3, 6, 12, 24, 48, 96, 240].map((hours) => hours * 3600),
];

/** Marks from 0 to beyond `most`, at durations a person calls round; at most `count` above 0. */
export function niceSteps(most: number, count: number): number[] {
  const step = STEPS_S.find((one) => Math.ceil(most / one) <= count) ?? most / count;
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, at) => at * step);
}
