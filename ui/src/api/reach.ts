const PROBE = "/healthz";
const AGAIN_MS = 2_000;

/** What a browser gives; a test gives its own. */
export interface Wire {
  fetch(url: string, init: RequestInit): Promise<Pick<Response, "ok">>;
  setTimeout(act: () => void, ms: number): unknown;
}

const BROWSER: Wire = {
  fetch: (url, init) => fetch(url, init),
  setTimeout: (act, ms) => setTimeout(act, ms),
};

/**
 * Whether the server can be reached. Once it cannot, it is asked every two seconds until it answers, and who watches
 * hears of both.
 */
export class Reach {
  /** Since when it cannot be reached, in milliseconds; null: it can, as far as is known. */
  awaySince: number | null = null;
  private readonly watchers = new Set<() => void>();

  constructor(private readonly wire = BROWSER) {}

  /** A request had no answer. */
  missed(): void {
    if (this.awaySince !== null) return;
    this.become(Date.now());
    this.wait();
  }

  /** A request had an answer, whatever it was. */
  answered(): void {
    if (this.awaySince !== null) this.become(null);
  }

  /** Ask now; whether it answers. */
  async probe(): Promise<boolean> {
    try {
      const { ok } = await this.wire.fetch(PROBE, { cache: "no-store" });
      if (ok) this.answered();
      else this.missed();
      return ok;
    } catch {
      this.missed();
      return false;
    }
  }

  watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  private wait(): void {
    this.wire.setTimeout(async () => {
      if (this.awaySince !== null && !(await this.probe())) this.wait();
    }, AGAIN_MS);
  }

  private become(since: number | null): void {
    this.awaySince = since;
    for (const watcher of this.watchers) watcher();
  }
}

export const reach = new Reach();
