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

// All that is listened for, the latest first: with one listener for all, the `r` of `g r` is no `r`.
const lists: { current: readonly Shortcut[] }[] = [];
let pressed: string[] = [];
let last = 0;

/** Listen while mounted. Not while somebody types, nor while a dialog is open. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  const current = useRef(shortcuts);
  current.current = shortcuts;
  useEffect(() => {
    if (lists.length === 0) window.addEventListener("keydown", onKey);
    lists.unshift(current);
    return () => {
      lists.splice(lists.indexOf(current), 1);
      if (lists.length === 0) window.removeEventListener("keydown", onKey);
    };
  }, []);
}

function run(keys: string, event: KeyboardEvent): void {
  if (document.querySelector("dialog[open], [role=dialog][aria-modal=true]")) return;
  const found = lists.flatMap((list) => list.current).find((shortcut) => shortcut.keys === keys);
  if (!found) return;
  event.preventDefault();
  found.run();
}

function onKey(event: KeyboardEvent): void {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && !event.altKey) {
    run("/", event); // as in many other products, also while somebody types
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || busy(event.target)) return;
  if (event.timeStamp - last > SEQUENCE_MS) pressed = [];
  last = event.timeStamp;
  pressed = [...pressed, event.key];
  const shortcuts = lists.flatMap((list) => list.current);
  let { found, open } = matching(shortcuts, pressed);
  if (found < 0 && !open && pressed.length > 1) {
    pressed = [event.key];
    ({ found, open } = matching(shortcuts, pressed));
  }
  if (!open) pressed = [];
  if (found < 0) return;
  event.preventDefault();
  shortcuts[found]?.run();
}

function busy(target: EventTarget | null): boolean {
  if (document.querySelector("dialog[open], [role=menu]")) return true;
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}
