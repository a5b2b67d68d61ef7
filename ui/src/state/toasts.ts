import { useSyncExternalStore } from "react";

export interface Toast {
  id: number;
  kind: "done" | "failed";
  text: string;
  hint?: string | null;
}

const SHOWN_MS = 6_000;
const listeners = new Set<() => void>();
let toasts: readonly Toast[] = [];
let last = 0;

function change(next: readonly Toast[]) {
  toasts = next;
  for (const listener of listeners) listener();
}

/** Say what an action led to. A failure stays until it is dismissed. */
export function say(kind: Toast["kind"], text: string, hint?: string | null): void {
  const id = ++last;
  change([...toasts.slice(-3), { id, kind, text, hint }]);
  if (kind === "done") setTimeout(() => dismiss(id), SHOWN_MS);
}

export function dismiss(id: number): void {
  change(toasts.filter((toast) => toast.id !== id));
}

export function useToasts(): readonly Toast[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
}
