export interface ExcerptLine {
  number: number | null;
  text: string;
  failing: boolean;
}

const MARKED = /^\s*(>{1,3}|→|-->)\s?/;
const NUMBERED = /^\s*(\d+)\s?[|│:]\s?(.*)$/;

// A frame of a Python stack in a file of the DAG: those are named without a folder before them.
const OWN_FRAME = /^\s*File "([^"/<][^"]*)", line (\d+)/;

/** Where in the DAG's own files it went wrong: `invoices.py:18`. */
export function sourceOf(text: string, line: number | null): string | null {
  const frames = text.split("\n").flatMap((each) => OWN_FRAME.exec(each) ?? []);
  for (let at = frames.length - 3; at >= 0; at -= 3) {
    if (line === null || Number(frames[at + 2]) === line)
      return `${frames[at + 1]}:${frames[at + 2]}`;
  }
  return null;
}

/**
 * Lines around what went wrong. The one that failed bears a mark, or the number that is given, or
 * stands below its place in a stack, or is the last that names an error.
 */
export function excerptLines(text: string, failing: number | null): ExcerptLine[] {
  const lines = text
    .replace(/\n+$/, "")
    .split("\n")
    .map((raw) => {
      const marked = MARKED.test(raw);
      const body = raw.replace(MARKED, (mark) => " ".repeat(mark.length));
      const found = NUMBERED.exec(marked ? body : raw);
      const number = found ? Number(found[1]) : null;
      const shown = found ? (found[2] ?? "") : raw;
      return { number, text: shown, failing: marked || (number !== null && number === failing) };
    });
  if (lines.some((line) => line.failing)) return lines;
  const place = lines.findLastIndex(({ text: each }) => {
    const frame = OWN_FRAME.exec(each);
    return frame !== null && (failing === null || Number(frame[2]) === failing);
  });
  if (place >= 0 && place + 1 < lines.length) {
    return lines.map((line, at) => ({ ...line, failing: at === place + 1 }));
  }
  const named = lines.findLastIndex((line) =>
    /^\s*[\w.]*(?:Error|Exception|Exit)\b/.test(line.text),
  );
  return lines.map((line, at) => ({ ...line, failing: at === named }));
}
