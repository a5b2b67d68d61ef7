export interface Match<T> {
  item: T;
  score: number;
  /** Which characters of the text matched, for marking them. */
  at: number[];
}

/**
 * How well `query` matches `text`, its letters in order but not side by side; null: not at all.
 * A letter at the beginning of a word, or right after another match, counts more.
 */
export function fuzzy(query: string, text: string): { score: number; at: number[] } | null {
  const wanted = query.toLowerCase().replaceAll(" ", "");
  const lower = text.toLowerCase();
  const whole = lower.indexOf(wanted);
  if (whole >= 0) return contained(wanted, lower, whole);
  const at: number[] = [];
  let score = 0;
  let from = 0;
  for (const letter of wanted) {
    const found = lower.indexOf(letter, from);
    if (found < 0) return null;
    if (found === (at.at(-1) ?? -2) + 1) score += 3;
    else if (startsWord(lower, found)) score += 2;
    else score += 0.2;
    at.push(found);
    from = found + 1;
  }
  return { score: score - lower.length / 100, at };
}

function contained(wanted: string, lower: string, whole: number) {
  const bonus = whole === 0 ? 8 : startsWord(lower, whole) ? 5 : 2;
  const at = Array.from({ length: wanted.length }, (_, index) => whole + index);
  return { score: wanted.length * 3 + bonus - lower.length / 100, at };
}

function startsWord(text: string, index: number): boolean {
  return index === 0 || /[^a-z0-9]/.test(text[index - 1] ?? "");
}

/** The best matches, best first; all in their order while nothing is typed. */
export function search<T>(
  query: string,
  items: readonly T[],
  text: (item: T) => string,
  limit = 20,
): Match<T>[] {
  if (!query.trim()) return items.slice(0, limit).map((item) => ({ item, score: 0, at: [] }));
  return items
    .flatMap((item) => {
      const match = fuzzy(query, text(item));
      return match ? [{ item, ...match }] : [];
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, limit);
}
