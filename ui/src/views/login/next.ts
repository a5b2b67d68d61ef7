/** Where to go after the sign-in: only ever a page of ours. */
export function safeNext(next: string | undefined): string {
  return next && /^\/(?![/\\])/.test(next) && !next.startsWith("/login") ? next : "/";
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
