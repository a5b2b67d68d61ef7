import { useEffect, useRef } from "react";

export interface Shortcut {
  /** Keys one after another, as `g d`, or one key, as `/`. */
  keys: string;
  /** What it does, for the overview under `?`. */
  does: string;
  run: () => void;
}

const SEQUENCE_MS = 1_200;

/** The shortcut that `pressed` completes, and whether it may still become one. */
export function matching(
  shortcuts: readonly Pick<Shortcut, "keys">[],
  pressed: readonly string[],
): { found: number; open: boolean } {
  const text = pressed.join(" ");
  return {
    found: shortcuts.findIndex((shortcut) => shortcut.keys === text),
    open: shortcuts.some((shortcut) => shortcut.keys.startsWith(`${text} `)),
  };
}

/** Listen while mounted. Not while somebody types, nor while a dialog is open. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const current = useRef(shortcuts);
  current.current = shortcuts;
  useEffect(() => {
    let pressed: string[] = [];
    let last = 0;
    function onKey(event: KeyboardEvent) {
      if (event.ctrlKey || event.metaKey || event.altKey || busy(event.target)) return;
      if (event.timeStamp - last > SEQUENCE_MS) pressed = [];
      last = event.timeStamp;
      pressed = [...pressed, event.key];
      let { found, open } = matching(current.current, pressed);
      if (found < 0 && !open && pressed.length > 1) {
        pressed = [event.key];
        ({ found, open } = matching(current.current, pressed));
      }
      if (!open) pressed = [];
      if (found < 0) return;
      event.preventDefault();
      current.current[found]?.run();
    }
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}

function busy(target: EventTarget | null): boolean {
  if (document.querySelector("dialog[open], [role=menu]")) return true;
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}
