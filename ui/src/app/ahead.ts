import type { FetchQueryOptions, QueryClient, QueryKey } from "@tanstack/react-query";

interface Opening {
  context: { queries: QueryClient };
  preload: boolean;
}

/**
 * Asks for what a page will show while its files are still on their way, unless it is known. Somebody who only points at
 * a link asks for nothing. What fails here is asked for again, and told, by the page.
 */
export function ahead<T, K extends QueryKey>(
  { context, preload }: Opening,
  asked: FetchQueryOptions<T, Error, T, K>,
): void {
  if (preload || context.queries.getQueryState(asked.queryKey) !== undefined) return;
  void context.queries.prefetchQuery(asked);
}
