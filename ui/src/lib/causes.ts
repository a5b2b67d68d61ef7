export interface Cause {
  /** `caused by`, `while handling`, `1 of 2:`, `note:`; empty for a line that is none of these. */
  word: string;
  error: string;
  /** The function and the line where it was raised, where known: `parse, orders.py:31`. */
  place: string | null;
}

const LINE = /^(caused by|while handling|\d+ of \d+:|note:) (.*?)(?: in (\S+, \S+:\d+))?$/;

/** An error's own line, without its notes and causes. */
export function headlineOf(detail: string): string {
  return detail.trim().split("\n", 1)[0] ?? "";
}

/** What stands below an error's own line: its notes, the exceptions of a group, and its causes back to the root. */
export function causesOf(detail: string): Cause[] {
  return detail
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => {
      const found = LINE.exec(line);
      return found
        ? { word: found[1] ?? "", error: found[2] ?? "", place: found[3] ?? null }
        : { word: "", error: line, place: null };
    });
}
