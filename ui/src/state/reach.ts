import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import { reach } from "@/api/reach.ts";

/** Since when the server cannot be reached; null while it can. */
export function useAway(): number | null {
  return useSyncExternalStore(reach.watch, () => reach.awaySince);
}

/** Everything shown is read again as soon as the server is back. */
export function useReadAgain(): void {
  const queries = useQueryClient();
  useEffect(
    () => reach.watch(() => reach.awaySince === null && void queries.invalidateQueries()),
    [queries],
  );
}
