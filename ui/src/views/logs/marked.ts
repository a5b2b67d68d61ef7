import { plain } from "@/lib/ansi.ts";
import { logLine } from "@/lib/logwindow.ts";

/** A line as it is read, in three pieces: what was looked for, and what is around it. */
export interface Marked {
  before: string;
  match: string;
  after: string;
}

// What stands further before a match is not what makes it understood.
const BEFORE_MAX = 160;
const AFTER_MAX = 600;

/** `start` and `end` count whole characters, as Python does, not halves of them. */
export function marked(raw: string, start: number, end: number): Marked {
  const letters = Array.from(raw);
  const piece = (from: number, to?: number) => letters.slice(from, to).join("");
  const stamp = letters.length - Array.from(logLine(raw).text).length;
  const before = plain(piece(Math.min(stamp, start), start)).trimStart();
  const after = plain(piece(end)).trimEnd();
  return {
    before: before.length > BEFORE_MAX ? `…${before.slice(-BEFORE_MAX)}` : before,
    match: plain(piece(start, end)),
    after: after.length > AFTER_MAX ? `${after.slice(0, AFTER_MAX)}…` : after,
  };
}
