/** How much a line of a log matters, by the words people and libraries use for it. */
export const LEVELS = ["error", "warning", "info", "debug"] as const;
export type Level = (typeof LEVELS)[number];

// A word of its own in capitals, or a structured field; what comes first in the line decides.
const NAMED: readonly [Level, RegExp][] = [
  [
    "error",
    /\b(?:ERROR|CRITICAL|FATAL|EMERGENCY|ALERT)\b|\blevel["']?[=:]\s*["']?(?:error|critical|fatal)\b/,
  ],
  ["warning", /\bWARN(?:ING)?\b|\blevel["']?[=:]\s*["']?warn(?:ing)?\b/],
  ["info", /\b(?:INFO|NOTICE)\b|\blevel["']?[=:]\s*["']?(?:info|notice)\b/],
  ["debug", /\b(?:DEBUG|TRACE)\b|\blevel["']?[=:]\s*["']?(?:debug|trace)\b/],
];
const UNNAMED =
  /^(?:Traceback \(most recent call last\)|[\w.]*(?:Error|Exception)(?::|$)|error:|fatal:|panic:)/;
const HEAD = 200; // a level stands at the beginning of a line

/** Null: the line does not say. */
export function levelOf(text: string): Level | null {
  const head = text.slice(0, HEAD);
  if (UNNAMED.test(head)) return "error";
  let first: Level | null = null;
  let at = HEAD;
  for (const [level, pattern] of NAMED) {
    const found = head.search(pattern);
    if (found >= 0 && found < at) [first, at] = [level, found];
  }
  return first;
}

/** What the server looks for, so that only lines of this level and those above come back. */
export function levelPattern(least: Level): string | null {
  if (least === "debug") return null;
  const errors = ["ERROR", "CRITICAL", "FATAL", "EMERGENCY", "ALERT"];
  const words = { error: errors, warning: [...errors, "WARN", "WARNING"] };
  const chosen = least === "error" ? words.error : words.warning;
  const named = least === "info" ? [...chosen, "INFO", "NOTICE"] : chosen;
  return `\\b(?:${named.join("|")})\\b|Traceback \\(most recent|\\w(?:Error|Exception)\\b|\\b(?:error|fatal|panic):`;
}
