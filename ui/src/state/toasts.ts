import { useSyncExternalStore } from "react";

export interface Toast {
  id: number;
  kind: "done" | "failed";
  text: string;
  hint?: string | null;
  /** The deed's inverse, where it has one. */
  undo?: () => void;
}

const [SHOWN_MS, UNDO_MS] = [6_000, 12_000];
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

/** Say what was done, and offer the way back for as long as it is said. */
export function sayUndoable(text: string, undo: () => void): void {
  const id = ++last;
  change([...toasts.slice(-3), { id, kind: "done", text, undo }]);
  setTimeout(() => dismiss(id), UNDO_MS);
}

/** Undo what is said, or the latest of what can be undone; whether there was such a thing. */
export function undo(id = toasts.findLast((toast) => toast.undo)?.id): boolean {
  const toast = toasts.find((each) => each.id === id);
  if (!toast?.undo) return false;
  dismiss(toast.id);
  toast.undo();
  return true;
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
