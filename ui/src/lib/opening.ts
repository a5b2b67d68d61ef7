const [LINES, CHARS] = [4, 240];
const OPENING_CHARS = 80;

/** More than fits beside other values. */
export function isLong(text: string): boolean {
  return text.length > CHARS || text.trimEnd().split("\n").length > LINES;
}

/** How a long text begins, in a line. */
export function opening(text: string): string {
  const line = text.trimStart().split("\n", 1)[0] ?? "";
  return `${line.slice(0, OPENING_CHARS)} …`;
}
