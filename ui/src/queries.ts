import { QueryCache, QueryClient } from "@tanstack/react-query";
import { Problem } from "./api/request.ts";
import { pollWhileCut } from "./state/live.ts";

/** What the server said, kept for the pages. */
export const queries = new QueryClient({
  queryCache: new QueryCache({ onError: signInAgain }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (count, error) => count < 2 && !(error instanceof Problem && error.status in FINAL),
      refetchInterval: pollWhileCut,
    },
  },
});

// Asking again would not change these.
const FINAL: Record<number, true> = { 400: true, 401: true, 403: true, 404: true, 422: true };

/** A session that has ended leads to the sign-in, and back here afterwards. */
function signInAgain(error: unknown): void {
  if (!(error instanceof Problem) || error.status !== 401) return;
  const here = location.pathname + location.search;
  if (!here.startsWith("/login")) location.assign(`/login?next=${encodeURIComponent(here)}`);
}
