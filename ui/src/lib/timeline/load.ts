export interface Part {
  at: string;
  used: number;
  predicted: boolean;
}

export interface Column {
  x: number;
  width: number;
  y: number;
  height: number;
  /** More than the pool has: something will wait. */
  over: boolean;
  part: Part;
}

const LEAST = 2; // less could not be seen

/** How high the chart of a pool goes: its size, or what is asked of it beyond that. */
export function topOf(slots: number, parts: readonly Part[]): number {
  return Math.max(1, slots, ...parts.map((part) => part.used)) * 1.1;
}

/** A column for each part of the time in which a slot is used. */
export function columns(
  parts: readonly Part[],
  slots: number,
  width: number,
  height: number,
): Column[] {
  const each = width / Math.max(1, parts.length);
  const top = topOf(slots, parts);
  return parts.flatMap((part, index) => {
    if (part.used <= 0) return [];
    const tall = Math.max(LEAST, (part.used / top) * height);
    const over = part.used > slots;
    return [{ x: index * each, width: each, y: height - tall, height: tall, over, part }];
  });
}

export interface Peak {
  used: number;
  at: string;
}

/** When most slots are used, of what was and of what is to come; null: none are. */
export function peak(parts: readonly Part[], predicted: boolean): Peak | null {
  let most: Peak | null = null;
  for (const part of parts)
    if (part.predicted === predicted && part.used > (most?.used ?? 0))
      most = { used: part.used, at: part.at };
  return most;
}
