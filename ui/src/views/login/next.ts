const HERE = "https://here.invalid";

/** Where to go after the sign-in: only ever a page of ours, as a browser reads it, which leaves out tabs and dots. */
export function safeNext(next: string | undefined): string {
  if (!next?.startsWith("/") || !URL.canParse(next, HERE)) return "/";
  const { origin, pathname, search, hash } = new URL(next, HERE);
  const ours = origin === HERE && !pathname.startsWith("//") && !pathname.startsWith("/login");
  return ours ? pathname + search + hash : "/";
}

const KEY = "headway.next";

/** Over a visit to an identity provider; in this tab only. */
export function keepNext(next: string | undefined): void {
  sessionStorage.setItem(KEY, safeNext(next));
}

export function takeNext(): string {
  const next = sessionStorage.getItem(KEY) ?? undefined;
  sessionStorage.removeItem(KEY);
  return safeNext(next);
}
