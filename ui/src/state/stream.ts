import type { StreamEvents } from "@/api/types.ts";

export type Topic = keyof StreamEvents;
/** `stale`: the stream is cut, and whoever wants to know must ask. */
export type Liveness = "connecting" | "live" | "stale";

const TOPICS = ["run", "task_instance", "dag", "pool", "log"] as const satisfies readonly Topic[];
const RETRY_MS = [1_000, 2_000, 5_000, 15_000];
const GRACE_MS = 4_000; // a stream ends now and then by itself, and comes back

/** Who listens. */
export interface Listener {
  change<T extends Topic>(topic: T, data: StreamEvents[T]): void;
  /** Something may have been missed: what is shown must be read again. */
  gap(): void;
  became(liveness: Liveness): void;
}

/** What a browser gives; a test gives its own. */
export interface World {
  open(url: string): EventSource;
  page: Pick<Document, "hidden" | "addEventListener" | "removeEventListener">;
}

const BROWSER = (): World => ({ open: (url) => new EventSource(url), page: document });

/**
 * A stream of changes that is kept open while somebody looks at the page: it goes on where it was
 * after a cut, and tries again ever more slowly. A tab in the background lets go, and hears what it
 * missed when it is looked at again: a browser has few connections to a server, and six tabs that
 * held one each would leave none for a click.
 */
export class Stream {
  private source: EventSource | null = null;
  private position: string | null = null; // where the next one goes on
  private asked = "";
  private failures = 0;
  private doubt: ReturnType<typeof setTimeout> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private world: World | null = null;

  /** `where`: the address of a stream that goes on at a position; `graceMs`: how long a cut is not told. */
  constructor(
    private readonly where: (position: string | null) => string,
    private readonly listener: Listener,
    private readonly graceMs = GRACE_MS,
  ) {}

  /** `position`: from where it tells everything, if it has not been further. */
  start(world = BROWSER(), position: string | null = null): void {
    this.world = world;
    this.position ??= position;
    world.page.addEventListener("visibilitychange", this.turn);
    this.turn();
  }

  stop(): void {
    this.world?.page.removeEventListener("visibilitychange", this.turn);
    this.world = null;
    this.release();
  }

  /** What is to be heard may have changed; a page that makes room for another asks once for both. */
  again(): void {
    queueMicrotask(() => {
      const isOpen = this.source !== null;
      if (isOpen && this.asked !== this.where(null)) this.connect();
    });
  }

  private readonly turn = (): void => {
    if (this.world?.page.hidden) this.release();
    else this.connect();
  };

  private release(): void {
    this.close();
    this.trust();
  }

  private connect(): void {
    this.close();
    if (!this.world) return;
    this.asked = this.where(null);
    const source = this.world.open(this.where(this.position));
    this.source = source;
    source.onopen = () => {
      if (source !== this.source) return;
      this.trust();
      this.failures = 0;
      this.listener.became("live");
    };
    source.onerror = () => this.failed(source);
    this.hear(source, "ready", () => {
      // What was read before the first position was known may be older than it.
      if (this.position === null) this.listener.gap();
    });
    this.hear(source, "reset", () => {
      this.position = null;
      this.listener.gap();
    });
    for (const topic of TOPICS)
      this.hear(source, topic, (data) => this.listener.change(topic, JSON.parse(data)));
  }

  /** A stream that was let go says nothing more, whatever is still on its way. */
  private hear(source: EventSource, name: string, act: (data: string) => void): void {
    source.addEventListener(name, (event: MessageEvent<string>) => {
      if (source !== this.source) return;
      act(event.data);
      this.position = event.lastEventId || this.position;
    });
  }

  private failed(source: EventSource): void {
    if (source !== this.source) return;
    // From the first failure on: each try that fails is another error.
    this.doubt ??= setTimeout(() => this.listener.became("stale"), this.graceMs);
    // The browser comes back by itself, except after an answer that was no stream.
    if (source.readyState !== 2) return;
    const wait = RETRY_MS[Math.min(this.failures++, RETRY_MS.length - 1)];
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.connect(), wait);
  }

  private close(): void {
    clearTimeout(this.retry);
    this.retry = undefined;
    this.source?.close();
    this.source = null;
  }

  private trust(): void {
    clearTimeout(this.doubt);
    this.doubt = undefined;
  }
}
