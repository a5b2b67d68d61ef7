/** Sizes of the grid in CSS pixels; the cell's is the reader's choice. */
export const ZOOMS = [10, 14, 18, 22, 28] as const;
export const CELL = 14;
export const GAP = 2;
export const ICON_FROM = 18;
export const HEAD = 84;
export const BAR = 44;
/** So many rows, or columns, are drawn at a time. */
export const STEP = 8;

/** From the beginning of a cell to that of the next. */
export function pitchOf(cell: number): number {
  return cell + GAP;
}

/** Names need more room than small cells have. */
export function rowPitchOf(cell: number): number {
  return Math.max(16, cell + GAP);
}

export function labelWidth(width: number): number {
  if (width < 520) return 132;
  return width < 900 ? 200 : 264;
}
