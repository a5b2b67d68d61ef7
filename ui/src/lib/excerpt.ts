export interface ExcerptLine {
  number: number | null;
  text: string;
  failing: boolean;
}

const MARKED = /^\s*(>{1,3}|→|-->)\s?/;
const NUMBERED = /^\s*(\d+)\s?[|│:]\s?(.*)$/;

/**
 * Lines around what went wrong. The one that failed bears a mark, or the number that is given, or
 * is the last that names an error.
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
  const named = lines.findLastIndex((line) =>
    /^\s*[\w.]*(?:Error|Exception|Exit)\b/.test(line.text),
  );
  return lines.map((line, at) => ({ ...line, failing: at === named }));
}
