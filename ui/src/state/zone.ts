import { useSyncExternalStore } from "react";

/** Whose clock shows the times: of this machine, of the DAG that a page is about, or UTC. */
export type Clock = "mine" | "dag" | "utc";

const KEY = "headway.clock";
const listeners = new Set<() => void>();

function current(): Clock {
  const kept = localStorage.getItem(KEY);
  return kept === "dag" || kept === "utc" ? kept : "mine";
}

export function setClock(clock: Clock): void {
  if (clock === "mine") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, clock);
  for (const listener of listeners) listener();
}

export function useClock(): Clock {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, current);
}
