/** How wide a column is, and whether it may be left out. */
export interface Sized {
  /** A track of a CSS grid: `minmax(120px, 1fr)`, `96px`. */
  width: string;
  /** Left out where the page is narrow; those of a higher number first. */
  secondary?: boolean | number;
  /** Left out only where even the columns that are not secondary have no room. */
  spare?: boolean;
}

const NARROW_PX = 720;

/** The columns that a width has room for, each with at least its least width. */
export function fitting<T extends Sized>(columns: readonly T[], width: number): readonly T[] {
  let left = width < NARROW_PX ? columns.filter(({ secondary }) => !secondary) : columns;
  while (least(left) > width) {
    const worst = Math.max(...left.map(rank));
    if (worst === 0) return left;
    const at = left.findLastIndex((column) => rank(column) === worst);
    left = left.filter((_, index) => index !== at);
  }
  return left;
}

function least(columns: readonly Sized[]): number {
  return columns.reduce((sum, { width }) => sum + Number(/(\d+)px/.exec(width)?.[1] ?? 0), 0);
}

function rank({ secondary, spare }: Sized): number {
  return Number(secondary ?? 0) || (spare ? 0.5 : 0);
}

/** An order of a list, by the word that the API has for it. */
export interface Sort {
  by: string;
  /** From the greatest to the least. */
  down: boolean;
  /** It is the order of another column, to which a further click returns: that column's head shows it. */
  other?: boolean;
}

/** What a click on a column's head asks for: its first order, then its others, round about. */
export function nextSort(sorts: readonly Sort[], current: string): string | undefined {
  const at = sorts.findIndex(({ by }) => by === current);
  return sorts[(at + 1) % sorts.length]?.by;
}
