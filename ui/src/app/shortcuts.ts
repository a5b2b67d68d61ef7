import { useNavigate } from "@tanstack/react-router";
import { type Shortcut, useShortcuts } from "@/state/keyboard.ts";
import { useTeam } from "@/state/session.ts";
import { undo } from "@/state/toasts.ts";
import { PAGES } from "./navigation.ts";

/** The keys that work on every page. */
export function useGlobalShortcuts(open: (what: "search" | "keys") => void): Shortcut[] {
  const navigate = useNavigate();
  const team = useTeam();
  const shortcuts: Shortcut[] = [
    { keys: "/", does: "Search", run: () => open("search") },
    ...PAGES.map(({ to, word, keys }) => ({
      keys,
      does: `Go to ${word}`,
      run: () => navigate({ to, params: { team } }),
    })),
    { keys: "z", does: "Undo the last action", run: () => undo() },
    { keys: "?", does: "Show keyboard shortcuts", run: () => open("keys") },
  ];
  useShortcuts(shortcuts);
  return shortcuts;
}
