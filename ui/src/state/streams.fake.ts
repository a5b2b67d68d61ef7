import type { World } from "./stream.ts";

type Heard = (event: { data: string; lastEventId: string }) => void;

/** An EventSource that a test speaks through. */
export class FakeSource {
  readyState = 0;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  private readonly heard = new Map<string, Heard>();

  constructor(readonly url: string) {}

  addEventListener(name: string, act: Heard): void {
    this.heard.set(name, act);
  }

  close(): void {
    this.readyState = 2;
  }

  opens(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  says(name: string, data: unknown = {}, lastEventId = ""): void {
    this.heard.get(name)?.({ data: JSON.stringify(data), lastEventId });
  }

  /** `forGood`: the answer was no stream, so the browser does not come back by itself. */
  fails(forGood = false): void {
    this.readyState = forGood ? 2 : 0;
    this.onerror?.();
  }
}

/** A browser with one tab; `opened` are its streams, the newest last. */
export class FakeWorld implements World {
  readonly opened: FakeSource[] = [];
  readonly page = Object.assign(new EventTarget(), { hidden: false });

  open(url: string): EventSource {
    const source = new FakeSource(url);
    this.opened.push(source);
    return source as unknown as EventSource;
  }

  get source(): FakeSource {
    return this.opened.at(-1) as FakeSource;
  }

  look(shown: boolean): void {
    this.page.hidden = !shown;
    this.page.dispatchEvent(new Event("visibilitychange"));
  }
}
