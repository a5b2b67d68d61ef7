const ALIAS = "@alias:";

/** Whether it is an alias, through which tasks add assets, and no asset. */
export function isAlias(asset: string): boolean {
  return asset.startsWith(ALIAS);
}

/** An asset or an alias as people read it: `orders`, `alias daily_files`. */
export function nameOf(asset: string): string {
  return isAlias(asset) ? `alias ${asset.slice(ALIAS.length)}` : asset;
}
