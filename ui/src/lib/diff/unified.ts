/** A unified diff as lines with their numbers on both sides. */

export interface Line {
  kind: "same" | "added" | "removed";
  text: string;
  old: number | null;
  new: number | null;
}

export interface Hunk {
  /** How many lines lie hidden before it, in the new file; null where there is no header. */
  skipped: number;
  lines: Line[];
}

const HEADER = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/;

export function hunksOf(diff: string): Hunk[] {
  const hunks: Hunk[] = [];
  let [before, after, reached] = [0, 0, 1];
  for (const raw of diff.split("\n")) {
    const header = HEADER.exec(raw);
    if (header) {
      before = Number(header[1]);
      after = Number(header[3]);
      hunks.push({ skipped: Math.max(0, after - reached), lines: [] });
      continue;
    }
    const hunk = hunks.at(-1);
    const kind = hunk && kindOf(raw);
    if (!hunk || !kind) continue;
    hunk.lines.push({
      kind,
      text: raw.slice(1),
      old: kind === "added" ? null : before++,
      new: kind === "removed" ? null : after++,
    });
    reached = after;
  }
  return hunks;
}

function kindOf(raw: string): Line["kind"] | null {
  if (raw.startsWith("+")) return "added";
  if (raw.startsWith("-")) return "removed";
  return raw.startsWith(" ") ? "same" : null; // "\ No newline at end of file", the last empty line
}

export interface Pair {
  left: Line | null;
  right: Line | null;
}

/** Side by side: what was removed stands beside what came in its place. */
export function pairsOf(lines: readonly Line[]): Pair[] {
  const pairs: Pair[] = [];
  let removed: Line[] = [];
  let added: Line[] = [];
  const flush = () => {
    for (let at = 0; at < Math.max(removed.length, added.length); at += 1)
      pairs.push({ left: removed[at] ?? null, right: added[at] ?? null });
    [removed, added] = [[], []];
  };
  for (const line of lines) {
    if (line.kind === "removed") removed.push(line);
    else if (line.kind === "added") added.push(line);
    else {
      flush();
      pairs.push({ left: line, right: line });
    }
  }
  flush();
  return pairs;
}

export function changedLines(hunks: readonly Hunk[]): { added: number; removed: number } {
  const lines = hunks.flatMap((hunk) => hunk.lines);
  const count = (kind: Line["kind"]) => lines.filter((line) => line.kind === kind).length;
  return { added: count("added"), removed: count("removed") };
}
