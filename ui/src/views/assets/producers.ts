/** DAGs, each once, in their order. */
export function unique(found: readonly { dag_id: string }[]): string[] {
  return [...new Set(found.map(({ dag_id }) => dag_id))];
}

/** Those who own DAGs, each once, by name. */
export function ownersOf(found: readonly { owner: string }[]): string[] {
  return [...new Set(found.map(({ owner }) => owner).filter(Boolean))].sort();
}

/** Whether an asset belongs to another team, which alone reports its events: `@shop/orders`. */
export function isForeign(asset: string): boolean {
  return asset.startsWith("@");
}
