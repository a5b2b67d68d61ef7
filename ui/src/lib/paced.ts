const SOON_MS = 500; // what comes together is handed on together
const PAUSE_MS = 1_000;

/** Collects what is wanted and hands it on, each once: soon, and at most once a second. */
export class Paced<T> {
  private readonly wanted = new Map<string, T>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private last = Number.NEGATIVE_INFINITY;

  constructor(private readonly handOn: (items: readonly T[]) => void) {}

  want(item: T): void {
    this.wanted.set(JSON.stringify(item), item);
    if (this.timer !== undefined) return;
    const wait = Math.max(SOON_MS, this.last + PAUSE_MS - Date.now());
    this.timer = setTimeout(() => this.turn(), wait);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.wanted.clear();
  }

  private turn(): void {
    this.timer = undefined;
    this.last = Date.now();
    const items = [...this.wanted.values()];
    this.wanted.clear();
    this.handOn(items);
  }
}
