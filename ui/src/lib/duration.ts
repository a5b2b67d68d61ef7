const STEPS: readonly [suffix: string, seconds: number][] = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
];

/** Without a line break. */
const SPACE = "\u00a0";

/** Seconds as a person reads them, in two steps at most: `3 m 12 s`, `4.2 s`, `180 ms`, `2 d 3 h`. A number and its unit stay in one line. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  if (seconds < 0) return `-${duration(-seconds)}`;
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)}${SPACE}ms`;
  if (seconds < 9.95) return `${trimmed(seconds)}${SPACE}s`;
  const whole = Math.round(seconds);
  const at = STEPS.findIndex(([, size]) => whole >= size);
  const [suffix, size] = STEPS[at] ?? ["s", 1];
  const next = STEPS[at + 1];
  const rest = next ? Math.floor((whole % size) / next[1]) : 0;
  const first = `${Math.floor(whole / size)}${SPACE}${suffix}`;
  return next && rest > 0 ? `${first}${SPACE}${rest}${SPACE}${next[0]}` : first;
}

// A beginning and an end that are told together have nearly one time.
const LEAST_S = 0.01;

/** A measured duration: what is shorter than the measure is not nothing. */
export function took(seconds: number | null | undefined): string {
  const short = typeof seconds === "number" && seconds >= 0 && seconds < LEAST_S;
  return short ? `<10${SPACE}ms` : duration(seconds);
}

/** What a glance needs of it: one step beyond a day, two below it only where the second one matters. */
export function coarse(seconds: number): string {
  const size = STEPS.find(([, each]) => seconds >= each)?.[1] ?? 1;
  const kept = size === 3_600 ? 60 : size;
  return seconds < 1 ? `0${SPACE}s` : duration(Math.floor(seconds / kept) * kept);
}

function trimmed(seconds: number): string {
  return seconds.toFixed(1).replace(/\.0$/, "");
}

/** Seconds between two instants; what has not ended counts until `now`. */
export function between(
  start: string | null | undefined,
  end: string | null | undefined,
  now: number,
): number | null {
  if (!start) return null;
  return Math.max(0, ((end ? Date.parse(end) : now) - Date.parse(start)) / 1000);
}
